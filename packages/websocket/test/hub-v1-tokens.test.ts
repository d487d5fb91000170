import { inspect } from 'node:util'
import { createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import {
  busV1,
  type AuthContext,
  type BusV1Options,
  type Token,
  type WebSocketTransport,
  type WebSocketTransportOptions,
} from '../src/index.ts'
import type { Hub, Principal } from '../src/hub/index.ts'
import { FakeClock } from './fake-clock.ts'
import { collect, only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

const HOUR = 3_600_000

interface Guarded {
  readonly hub: Hub
  /** What was shown, in order. */
  readonly shown: (string | undefined)[]
}

/** A hub that accepts every token that begins with `good`. */
async function guardedHub(): Promise<Guarded> {
  const shown: (string | undefined)[] = []
  const authenticate = ({ token }: { readonly token: string | undefined }): Principal | null => {
    shown.push(token)
    return token?.startsWith('good') === true ? { id: 'alice' } : null
  }
  return { hub: await startHub({ allowAnonymous: false, authenticate }), shown }
}

type Options = Omit<WebSocketTransportOptions, 'url' | 'protocol'>

function clientOf(hub: Hub, options: BusV1Options, more: Options = {}): WebSocketTransport {
  return transportTo(hub, { heartbeat: false, ...more, protocol: busV1(options) })
}

describe('a client of our hub with a token', () => {
  test('shows it with its first line on each link', async () => {
    const { hub, shown } = await guardedHub()
    const transport = clientOf(hub, { token: 'good' })
    const events = await collect(transport, 'a')
    await transport.reconnect()
    await clientOf(hub, { token: 'good 2' }).publish(createEvent('a', 1))
    await until(() => events.events.length === 1, 'the event')
    expect(shown).toEqual(['good', 'good', 'good 2'])
    expect(transport.capabilities.delivery).toBe('at-least-once')
  })

  test('calls a function for it each time, with the reason [F145]', async () => {
    const { hub, shown } = await guardedHub()
    const calls: AuthContext['reason'][] = []
    const token = ({ reason }: AuthContext): string => `good ${calls.push(reason)}`
    const transport = clientOf(hub, { token })
    await transport.connect()
    await transport.reconnect()
    expect(calls).toEqual(['connect', 'connect'])
    expect(shown).toEqual(['good 1', 'good 2'])
  })

  test('renews it on the live link before it ends, and nothing is interrupted [F144]', async () => {
    const { hub, shown } = await guardedHub()
    const clock = new FakeClock()
    let n = 0
    const token = (): Token => ({ token: `good ${++n}`, expiresAt: Date.now() + HOUR })
    const transport = clientOf(hub, { token }, { clock })
    const events = await collect(transport, 'a')
    clock.advance(HOUR - 61_000)
    const publisher = clientOf(hub, { token: 'good p' })
    await publisher.publish(createEvent('a', 1))
    await until(() => events.events.length === 1, 'the event before')
    expect(shown).toEqual(['good 1', 'good p'])
    for (const at of [2, 3]) {
      clock.advance(at === 2 ? 2_000 : HOUR - 59_000)
      await until(() => shown.includes(`good ${at}`), 'renewed')
    }
    await publisher.publish(createEvent('a', 2))
    await until(() => events.events.length === 2, 'the event after')
    expect(transport.stats().reconnects).toBe(0)
    await transport.close()
    expect(clock.pending).toBe(0)
  })

  test('renews it by a threshold of its own', async () => {
    const { hub, shown } = await guardedHub()
    const clock = new FakeClock()
    const token = (): Token => ({ token: 'good', expiresAt: Date.now() + HOUR })
    await clientOf(hub, { token, renewBeforeMs: HOUR / 4 }, { clock }).connect()
    clock.advance((HOUR * 3) / 4)
    await until(() => shown.length === 2, 'renewed')
  })

  test('gets another one on a new link when the hub does not take the renewed one', async () => {
    const { hub, shown } = await guardedHub()
    const clock = new FakeClock()
    const tokens = ['good 1', 'bad', 'good 2']
    const token = (): Token => ({ token: tokens.shift() ?? 'good', expiresAt: Date.now() + HOUR })
    const transport = clientOf(hub, { token }, { clock })
    const notices = record(transport)
    await transport.connect()
    clock.advance(HOUR - 59_000)
    await until(() => transport.status.state === 'backoff', 'the hub has closed the link')
    clock.advance(5)
    await until(() => transport.status.state === 'ready', 'a new link')
    expect(shown).toEqual(['good 1', 'bad', 'good 2'])
    expect(only(notices, 'close')).toMatchObject([{ code: 4401, initiatedBy: 'remote' }])
  })

  test('reports that no new one could be got, and tries again while the old one is good', async () => {
    const { hub, shown } = await guardedHub()
    const clock = new FakeClock()
    const down = new Error('the issuer is down')
    let failures = 1
    const token = ({ reason }: AuthContext): Token => {
      if (reason === 'renew' && failures-- > 0) throw down
      return { token: 'good', expiresAt: Date.now() + HOUR }
    }
    const transport = clientOf(hub, { token }, { clock })
    const notices = record(transport)
    await transport.connect()
    clock.advance(HOUR - 59_000)
    await until(() => only(notices, 'error').length === 1, 'it is reported')
    expect(only(notices, 'error')).toEqual([{ kind: 'auth', error: down }])
    clock.advance(15_000)
    await until(() => shown.length === 2, 'renewed')
    expect(transport.stats().reconnects).toBe(0)
  })

  test('counts an attempt as failed for which none could be got, and does not go on when there is none', async () => {
    const { hub } = await guardedHub()
    const fails = clientOf(hub, { token: () => Promise.reject(new Error('down')) })
    await expect(fails.connect()).rejects.toMatchObject({ code: 'bootstrap' })
    const none = clientOf(hub, { token: () => '' })
    await expect(none.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
    const long = clientOf(hub, { token: () => 'x'.repeat(20_000) })
    await expect(long.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
  })

  test('that comes after its link was given up changes nothing [F31]', async () => {
    const { hub, shown } = await guardedHub()
    const late: ((token: string) => void)[] = []
    const token = (): string | Promise<string> => {
      if (late.length > 0) return 'good'
      return new Promise((resolve) => late.push(resolve))
    }
    const transport = clientOf(hub, { token }, { timeouts: { bootstrapMs: 50 } })
    const events = await collect(transport, 'a')
    late[0]?.('good but late')
    await clientOf(hub, { token: 'good p' }).publish(createEvent('a', 1))
    await until(() => events.events.length === 1, 'the event')
    expect(shown).toEqual(['good', 'good p'])
    expect(transport.status).toMatchObject({ state: 'ready', generation: 2 })
  })

  test('shows it in no print', async () => {
    const { hub } = await guardedHub()
    const token = 'good canary-7f3a9c'
    const protocol = busV1({ token })
    const transport = transportTo(hub, { protocol })
    await transport.connect()
    const text = [protocol, transport, JSON.stringify(protocol)].map((value) => {
      return inspect(value, { depth: 10, showHidden: true })
    })
    expect(text.join('\n')).not.toContain('canary')
  })
})

test.each([
  [{ token: '' }, 'token'],
  [{ token: 7 }, 'token'],
  [{ token: 'x'.repeat(20_000) }, 'token'],
  [{ token: 't', renewBeforeMs: -1 }, 'renewBeforeMs'],
])('refuses a bad option of its credentials, naming it: %o', (options, path) => {
  expect(() => busV1(options as BusV1Options)).toThrow(
    expect.objectContaining({ code: 'config', path }) as Error,
  )
})
