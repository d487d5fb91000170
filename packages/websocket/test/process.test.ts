import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { serve, until } from './harness.ts'

const root = new URL('..', import.meta.url)

/** Runs a script against the built packages and gives what it printed. */
async function run(script: string): Promise<string> {
  const args = ['--input-type=module', '-e', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    timeout: 50_000,
  })
  return stdout
}

describe('a process', () => {
  test('that drains before it exits loses nothing, although the server reads slowly, and ends by itself [F132]', async () => {
    const server = await serve()
    server.faults.stall()
    const child = run(`
      import { createEvent } from '@bus/core'
      import { webSocketTransport } from '@bus/websocket'
      const transport = webSocketTransport({ url: '${server.url}', queue: { capacity: 2000 } })
      for (let n = 0; n < 2000; n++) transport.emit(createEvent('a', 'x'.repeat(2000)))
      const report = await transport.drain()
      process.stdout.write(JSON.stringify(report))`)
    await server.waitForConnection({ timeoutMs: 5_000 })
    server.faults.clear()
    expect(JSON.parse(await child)).toEqual({ unsent: [], unhandled: 0 })
    await until(() => server.received.length === 2_000, 'all arrive')
  })

  test('ends by itself after close, with nothing that keeps it alive [F137]', async () => {
    const server = await serve()
    const stdout = await run(`
      import { createEvent } from '@bus/core'
      import { webSocketTransport } from '@bus/websocket'
      const transport = webSocketTransport({ url: '${server.url}' })
      await transport.publish(createEvent('a', 1))
      await transport.close()
      process.on('exit', (code) => process.stdout.write('exit ' + code))`)
    expect(stdout).toBe('exit 0')
  })
})
