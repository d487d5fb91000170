import { assert, constantFrom, double, integer, oneof, property, string } from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  MAX_REASON_BYTES,
  closeSafely,
  isSendableCloseCode,
  truncateReason,
} from './socket-port.ts'

/** A socket as strict as ws: it throws for what must not go into a close frame. */
function strictSocket() {
  const closed: [code: number, reason: string][] = []
  let terminated = 0
  return {
    closed,
    terminations: () => terminated,
    close(code: number, reason: string): void {
      if (!isSendableCloseCode(code)) throw new TypeError('code')
      if (Buffer.byteLength(reason) > MAX_REASON_BYTES) throw new RangeError('reason')
      closed.push([code, reason])
    },
    terminate(): void {
      terminated += 1
    },
  }
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

const anyText = oneof(
  string({ unit: 'binary', maxLength: 200 }),
  string({ unit: 'grapheme', maxLength: 200 }),
  string({ unit: constantFrom('a', 'é', '€', '😀', '\uD83D', '\uDE00'), maxLength: 200 }),
)

describe('closeSafely', () => {
  it('closes with any code and any reason, and never throws', () => {
    const anyCode = oneof(integer({ min: -10, max: 70_000 }), double())
    assert(
      property(anyCode, anyText, (code, reason) => {
        const socket = strictSocket()
        expect(closeSafely(socket, code, reason)).toBeUndefined()
        expect(socket.closed).toEqual([
          [isSendableCloseCode(code) ? code : 1000, truncateReason(reason)],
        ])
        expect(socket.terminations()).toBe(0)
      }),
    )
  })

  it('sends no reason where none is given', () => {
    const socket = strictSocket()
    closeSafely(socket, 4001)
    expect(socket.closed).toEqual([[4001, '']])
  })

  it('terminates a socket that cannot be closed, and returns why', () => {
    const why = new Error('broken')
    let terminated = 0
    const socket = {
      close: () => {
        throw why
      },
      terminate: () => {
        terminated += 1
      },
    }
    expect(closeSafely(socket, 1000)).toBe(why)
    expect(terminated).toBe(1)
  })

  it('returns both errors of a socket that cannot be terminated either', () => {
    const socket = {
      close: () => {
        throw new Error('first')
      },
      terminate: () => {
        throw new Error('second')
      },
    }
    const error = closeSafely(socket, 1000)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors.map(String)).toEqual(['Error: first', 'Error: second'])
  })

  it('is understood by a real server, with the longest reason that fits', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => {
      server.close()
    })
    await once(server, 'listening')
    const seen = new Promise<unknown>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('close', (code, reason) => resolve([code, reason.toString()]))
      })
    })
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await once(client, 'open')
    expect(closeSafely(client, 4321, '😀'.repeat(60))).toBeUndefined()
    await expect(seen).resolves.toEqual([4321, '😀'.repeat(30)])
  })
})

describe('a reason', () => {
  it('is cut to 123 bytes at the end of a character, and only if it is longer', () => {
    assert(
      property(anyText, (reason) => {
        const cut = truncateReason(reason)
        expect(reason.startsWith(cut)).toBe(true)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MAX_REASON_BYTES)
        const [next = ''] = reason.slice(cut.length)
        const wouldFit = Buffer.byteLength(cut) + Buffer.byteLength(next) <= MAX_REASON_BYTES
        expect(wouldFit).toBe(next === '')
        const [last = '', first = ''] = [cut.at(-1), next[0]]
        expect(/[\uD800-\uDBFF]/.test(last) && /[\uDC00-\uDFFF]/.test(first)).toBe(false)
      }),
    )
  })
})

describe('a close frame', () => {
  it('may carry 1000 to 1003, 1007 to 1014 and 3000 to 4999; reserved codes are refused', () => {
    const sendable: number[] = []
    for (let code = 0; code < 6_000; code++) if (isSendableCloseCode(code)) sendable.push(code)
    expect(sendable).toEqual([...range(1000, 1003), ...range(1007, 1014), ...range(3000, 4999)])
    for (const odd of [1000.5, -1000, Number.NaN, Infinity, '1000', null, undefined]) {
      expect(isSendableCloseCode(odd)).toBe(false)
    }
  })
})
