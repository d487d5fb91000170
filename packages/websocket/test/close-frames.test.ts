import { assert, asyncProperty, double, integer, oneof, string } from 'fast-check'
import { expect, test } from 'vitest'
import { isSendableCloseCode } from '../src/socket/socket-port.ts'
import { serve, transportTo } from './harness.ts'

test('close() takes any code and any reason: what leaves is a good close frame, its reason cut at a character [F78]', async () => {
  const server = await serve()
  const code = oneof(
    integer({ min: 990, max: 1020 }),
    integer({ min: 2990, max: 5010 }),
    integer(),
    double(),
  )
  const reason = string({ unit: 'binary', maxLength: 150 })
  let index = 0
  await assert(
    asyncProperty(code, reason, async (wantedCode, wantedReason) => {
      const transport = transportTo(server)
      await transport.connect()
      await transport.close({ code: wantedCode, reason: wantedReason })
      const connection = await server.waitForConnection({ index: index++ })
      const end = await connection.waitForClose()
      expect(end).toMatchObject({
        wasClean: true,
        code: isSendableCloseCode(wantedCode) ? wantedCode : 1000,
      })
      // A lone surrogate has no form in UTF-8.
      const writable = Buffer.from(wantedReason).toString()
      expect(writable.startsWith(end.reason)).toBe(true)
      const next = /./su.exec(writable.slice(end.reason.length))?.[0] ?? 'x'.repeat(124)
      expect(Buffer.byteLength(end.reason + next)).toBeGreaterThan(123)
    }),
    {
      numRuns: 60,
      examples: [
        [1005, ''],
        [1006, 'ü'.repeat(100)],
        [4999, '🙂'.repeat(31)],
      ],
    },
  )
})
