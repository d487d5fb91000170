import { createEvent } from '@bus/core'
import { busV1 } from '@bus/websocket'
import { plainJson, type ProtocolLink } from '@bus/websocket/protocol'
import { composeProtocol } from './compose-protocol.ts'
import { jsonRpcProtocol } from './json-rpc/json-rpc-protocol.ts'
import { expect, test } from 'vitest'

/** A link that keeps what is sent and reported. */
function fakeLink() {
  const log: string[] = []
  const link: ProtocolLink = {
    signal: new AbortController().signal,
    subprotocol: '',
    send: async (frame) => void log.push(`sent ${String(frame)}`),
    waitFor: () => new Promise(() => {}),
    report: (kind, error) => void log.push(`${kind}: ${error.message}`),
    close: () => {},
  }
  return { link, log }
}

test('a dialect without further parts is itself', () => {
  const protocol = plainJson()
  expect(composeProtocol(protocol, {})).toBe(protocol)
})

test('a dialect with parts reads and writes as before, also one that is an instance of a class', () => {
  const rpc = jsonRpcProtocol()
  const composed = composeProtocol(rpc, { auth: { authenticate: async () => {} } })
  expect(composed).toMatchObject({ name: 'json-rpc', subprotocols: [] })
  expect(composed.encode(createEvent('a', [1]))).toBe(rpc.encode(createEvent('a', [1])))
  const events: unknown[] = []
  const receiver = { event: (event: unknown) => void events.push(event) }
  composed.decode('{"jsonrpc":"2.0","method":"a","params":[1]}', receiver)
  expect(events).toMatchObject([{ type: 'a', payload: [1] }])
  expect('subscribe' in composed).toBe(false)
})

test('the dialect says first who we are, then the part does; what either throws fails the link', async () => {
  const { link, log } = fakeLink()
  const dialect = { ...plainJson(), authenticate: (to: ProtocolLink) => to.send('dialect') }
  const auth = { authenticate: (to: ProtocolLink) => to.send('part') }
  await composeProtocol(dialect, { auth }).authenticate?.(link)
  expect(log).toEqual(['sent dialect', 'sent part'])
  const refused = { authenticate: () => Promise.reject(new Error('no')) }
  const composed = composeProtocol({ ...plainJson(), ...refused }, { auth })
  await expect(composed.authenticate?.(link)).rejects.toThrow('no')
  expect(log).toHaveLength(2)
})

test('subscriptions stand in for those of the dialect, also where there is nothing to take back', async () => {
  const { link, log } = fakeLink()
  const dialect = {
    ...plainJson(),
    subscribe: (_patterns: readonly string[], to: ProtocolLink) => to.send('dialect'),
    unsubscribe: (_patterns: readonly string[], to: ProtocolLink) => to.send('dialect'),
  }
  const subscriptions = {
    subscribe: (patterns: readonly string[], to: ProtocolLink) => to.send(patterns.join()),
  }
  const composed = composeProtocol(dialect, { subscriptions })
  await composed.subscribe?.(['a', 'b'], link)
  await composed.unsubscribe?.(['a'], link)
  expect(log).toEqual(['sent a,b'])
  expect(composed.capabilities).toEqual({ ...dialect.capabilities, wildcards: false })
  expect(dialect.capabilities.wildcards).toBe(true)
})

test('everybody learns that the link is ready, and what one of them throws is reported', () => {
  const { link, log } = fakeLink()
  const tells = (name: string) => ({ up: () => void log.push(name) })
  const fails = (thrown: unknown) => ({
    up: () => {
      throw thrown
    },
  })
  composeProtocol(
    { ...plainJson(), ...fails(new Error('dialect')) },
    {
      subscriptions: { subscribe: async () => {}, ...fails('no error') },
      auth: { authenticate: async () => {}, ...tells('auth') },
    },
  ).up?.(link)
  expect(log).toEqual(['listener: dialect', 'listener: no error', 'auth'])
})

test.each([
  ['auth', { auth: { authenticate: async () => {} } }],
  ['subscriptions', { subscriptions: { subscribe: async () => {} } }],
])('a session that has its own takes no %s', (path, parts) => {
  expect(() => composeProtocol(busV1(), parts)).toThrow(
    expect.objectContaining({ code: 'config', path }) as Error,
  )
})
