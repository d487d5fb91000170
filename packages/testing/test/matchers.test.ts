/** Waiting for messages and asserting on them. */
import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { startMockServer, type MessageMatcher, type MockServer } from '../src/mock-server/index.ts'
import { FakeClock } from '../src/fake-clock.ts'
import { PlainClient } from './plain-client.ts'

const created = '{"event_type":"order.created","payload":{"id":1,"lines":[1,2]}}'

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as Error,
  )
}

function failing(): boolean {
  throw new Error('broken predicate')
}

async function serverWith(...messages: (string | Buffer)[]): Promise<MockServer> {
  const server = await startMockServer()
  using client = await PlainClient.open(server.url)
  for (const message of messages) client.socket.send(message)
  await server.waitUntil(() => server.received.length === messages.length)
  return server
}

const matching: [string, MessageMatcher][] = [
  ['the exact text', created],
  ['a pattern', /order\.c/],
  ['a global pattern, again and again', /order/g],
  ['some members of the JSON', { event_type: 'order.created' }],
  ['a nested member in full', { payload: { id: 1, lines: [1, 2] } }],
  ['the absence of a member', { metadata: undefined }],
  ['a predicate', (message) => message.text.length === created.length],
]
const notMatching: [string, MessageMatcher][] = [
  ['a part of the text', 'order.created'],
  ['another pattern', /deleted/],
  ['another value', { event_type: 'order.updated' }],
  ['a nested member in part', { payload: { id: 1 } }],
  ['a member that is not there', { metadata: {} }],
  ['a predicate that says no', () => false],
  ['bytes, for a text message', new TextEncoder().encode(created)],
  ['an array', ['order.created']],
]

describe('matchers', () => {
  test.each(matching)('%s matches', async (_name, matcher) => {
    await using server = await serverWith(created, 'other')
    for (const _ of [1, 2]) {
      expect(server.assertMessageSent(matcher).text).toBe(created)
      expect((await server.waitForMessage(matcher)).text).toBe(created)
    }
  })

  test.each(notMatching)('%s does not match', async (_name, matcher) => {
    await using server = await serverWith(created)
    expect(() => server.assertMessageSent(matcher)).toThrow(/1 message was received/)
    await expect(server.waitForMessage(matcher, { timeoutMs: 1 })).rejects.toThrow(
      /1 message was received/,
    )
  })

  test('bytes match a binary message, an array a JSON array', async () => {
    await using server = await serverWith(Buffer.from([1, 2, 3]), '[1,{"a":2}]')
    expect(server.assertMessageSent(new Uint8Array([1, 2, 3])).kind).toBe('binary')
    expect(server.assertMessageSent([1, { a: 2 }]).json).toEqual([1, { a: 2 }])
    expect(() => server.assertMessageSent(new Uint8Array([1, 2]))).toThrow(/010203/)
  })
})

describe('waitForMessage', () => {
  test('resolves with a message that comes later', async () => {
    await using server = await startMockServer()
    const wait = server.waitForMessage({ n: 2 })
    using client = await PlainClient.open(server.url)
    client.socket.send('{"n":1}')
    client.socket.send('{"n":2}')
    expect((await wait).json).toEqual({ n: 2 })
  })

  test('looks at one connection only, if told to', async () => {
    await using server = await startMockServer()
    using one = await PlainClient.open(server.url)
    using two = await PlainClient.open(server.url)
    one.socket.send('same')
    await server.waitForMessage('same')
    const second = await server.waitForConnection({ index: 1 })
    const failure = await failureOf(
      server.waitForMessage('same', { connection: second, timeoutMs: 1 }),
    )
    expect(failure.message).toContain('nothing was received')
    two.socket.send('same')
    expect((await server.waitForMessage('same', { connection: 1 })).connection).toBe(1)
  })

  test('fails after its time with a list of what was received, the nearest first', async () => {
    await using server = await serverWith(
      'not json',
      '{"event_type":"order.created","payload":9}',
      '{"event_type":"user.created","payload":8}',
    )
    const matcher = { event_type: 'order.created', payload: 7 }
    const failure = await failureOf(server.waitForMessage(matcher, { timeoutMs: 5 }))
    expect(failure).toMatchObject({ code: 'timeout' })
    expect(failure.message.split('\n')).toEqual([
      "Waited 5 ms for a message with { event_type: 'order.created', payload: 7 }: 3 messages were received, the closest first",
      '  #1 on connection 0: {"event_type":"order.created","payload":9} (`payload` is 9)',
      '  #2 on connection 0: {"event_type":"user.created","payload":8} (`event_type` is \'user.created\', `payload` is 8)',
      '  #0 on connection 0: not json (not a JSON object)',
    ])
  })

  test('leaves no timer and no listener when it succeeds', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock })
    const { signal } = new AbortController()
    const wait = server.waitForMessage('x', { signal })
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([1, 1])
    using client = await PlainClient.open(server.url)
    client.socket.send('x')
    await wait
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
  })

  test('can be aborted, and leaves no listener', async () => {
    await using server = await startMockServer()
    const abort = new AbortController()
    const wait = failureOf(server.waitForMessage('x', { signal: abort.signal }))
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
    abort.abort(new Error('enough'))
    expect(await wait).toMatchObject({ name: 'AbortError', cause: new Error('enough') })
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })

  test('fails with what a predicate throws', async () => {
    await using server = await startMockServer()
    const wait = failureOf(server.waitForMessage(failing))
    using client = await PlainClient.open(server.url)
    client.socket.send('x')
    expect((await wait).message).toBe('broken predicate')
    expect(client.closed).toBeUndefined()
  })
})

describe('other waits', () => {
  test('waitForConnection says how many connections there were', async () => {
    await using server = await startMockServer()
    server.faults.refuse(503)
    using client = new PlainClient(server.url)
    await client.untilClosed()
    const failure = await failureOf(server.waitForConnection({ timeoutMs: 1 }))
    expect(failure.message).toBe('Waited 1 ms for connection 0: 0 were made in 1 handshakes')
  })

  test('every wait lasts two seconds if it is not told otherwise', async () => {
    const clock = new FakeClock()
    await using server = await startMockServer({ clock })
    using client = await PlainClient.open(server.url)
    const connection = await server.waitForConnection()
    for (const wait of [
      () => server.waitForMessage('x'),
      () => server.waitForConnection({ index: 1 }),
      () => server.waitUntil(() => false),
      () => connection.waitForClose(),
    ]) {
      const failure = failureOf(wait())
      expect(clock.nextIn).toBe(2_000)
      clock.advance(2_000)
      expect(await failure).toMatchObject({ code: 'timeout' })
    }
    expect(client.closed).toBeUndefined()
  })

  test('every wait can be aborted', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    const connection = await server.waitForConnection()
    const signal = AbortSignal.abort()
    for (const wait of [
      () => server.waitForConnection({ index: 1, signal }),
      () => server.waitUntil(() => false, { signal }),
      () => connection.waitForClose({ signal }),
    ]) {
      expect(await failureOf(wait())).toMatchObject({ code: 'aborted' })
    }
    expect(client.closed).toBeUndefined()
  })

  test('waitUntil and waitForClose have a deadline too', async () => {
    await using server = await startMockServer()
    using client = await PlainClient.open(server.url)
    const connection = await server.waitForConnection()
    const close = await failureOf(connection.waitForClose({ timeoutMs: 1 }))
    expect(close.message).toBe('Waited 1 ms for connection 0 to close')
    const until = await failureOf(server.waitUntil(() => false, { timeoutMs: 1 }))
    expect(until).toMatchObject({ code: 'timeout' })
    expect(client.closed).toBeUndefined()
  })

  test('assertMessageSent fails as an assertion with what was received', async () => {
    await using server = await serverWith('a', 'ab')
    expect(() => server.assertMessageSent('abc')).toThrow(
      expect.objectContaining({
        name: 'AssertionError',
        actual: ['a', 'ab'],
        expected: 'abc',
        message: expect.stringMatching(/^Expected the message 'abc': 2 messages[^#]*#1 [^#]*#0 /s),
      }),
    )
  })
})
