import {
  DecodeError,
  DisconnectedError,
  QueueFullError,
  SerializationError,
  TimeoutError,
  createEvent,
} from '@bus/core'
import { RateLimiter } from '@bus/rate-limit'
import { collect, cut, only, record, transportTo, until } from '@bus/test-support/websocket'
import { FakeClock } from '@bus/testing'
import {
  DuplicateIdError,
  RpcError,
  defineMethod,
  jsonRpcProtocol,
  type JsonRpcNotices,
} from '../src/index.ts'
import { rpcTo, serveRpc, type Asked } from './rpc-server.ts'
import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** Collects the answers that nobody waits for. */
function unmatchedOf(rpc: Awaited<ReturnType<typeof rpcTo>>['rpc']): JsonRpcNotices['unmatched'][] {
  const unmatched: JsonRpcNotices['unmatched'][] = []
  rpc.on('unmatched', (answer) => unmatched.push(answer))
  return unmatched
}

describe('a request', () => {
  test('resolves with the result of its answer', async () => {
    const server = await serveRpc({ 'public/get_time': () => 1_767_225_600_000 })
    const { rpc } = await rpcTo(server)
    await expect(rpc.request('public/get_time')).resolves.toBe(1_767_225_600_000)
    expect(server.mock.received[0]?.json).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'public/get_time',
    })
    expect(rpc.pending).toBe(0)
  })

  test('of a defined method gives what that makes of the result, or says that it is another', async () => {
    const server = await serveRpc({ time: () => 0, odd: () => 'soon' })
    const { rpc } = await rpcTo(server)
    const parse = (result: unknown): Date => {
      if (typeof result !== 'number') throw new TypeError('no number')
      return new Date(result)
    }
    const time = defineMethod<undefined, Date>('time', { parse })
    await expect(rpc.request(time)).resolves.toEqual(new Date(0))
    const odd = defineMethod<{ of: string }, Date>('odd', { parse })
    const failure = await rpc.request(odd, { of: 'day' }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DecodeError)
    expect(failure).toMatchObject({ cause: { message: 'no number' } })
    expect(server.asked[1]).toMatchObject({ method: 'odd', params: { of: 'day' } })
  })

  test('gets its own answer among concurrent ones, whatever their order, their methods and the kinds of their ids', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const calls = [
      ...numbers(20).map((n) => rpc.request('same', { n })),
      rpc.request('other', { n: 'text' }, { id: 'a' }),
      // The text '1' and the number 1 are two ids.
      rpc.request('other', { n: 'one' }, { id: '1' }),
    ]
    await server.waitFor('other', 2)
    for (const asked of server.asked.toReversed()) server.answer(asked, asked.params)
    await expect(Promise.all(calls)).resolves.toEqual([
      ...numbers(20).map((n) => ({ n })),
      { n: 'text' },
      { n: 'one' },
    ])
    expect(rpc.pending).toBe(0)
  })

  test('that is answered with an error rejects with its code, message and data', async () => {
    const data = { param: 'amount' }
    const server = await serveRpc({
      buy: () => {
        throw { code: -32_602, message: 'Invalid params', data }
      },
      busy: () => {
        throw { code: -32_603, message: 'Internal error' }
      },
    })
    const { rpc, transport } = await rpcTo(server)
    const refused = await rpc.request('buy').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RpcError)
    expect(refused).toMatchObject({
      message: 'buy was answered with error -32602: Invalid params',
      method: 'buy',
      rpcCode: -32_602,
      data,
      retryable: false,
      outcome: 'rejected',
    })
    await expect(rpc.request('busy')).rejects.toMatchObject({ retryable: true, data: undefined })
    expect(transport.status.state).toBe('ready')
  })

  test('that is not answered in time rejects, frees its id, and its late answer is told as unmatched', async () => {
    const clock = new FakeClock()
    const server = await serveRpc()
    const { rpc } = await rpcTo(server, { clock })
    const unmatched = unmatchedOf(rpc)
    const call = rpc.request('slow', undefined, { id: 7, timeoutMs: 50 })
    const asked = await server.waitFor('slow')
    clock.advance(50)
    const failure = await call.catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(TimeoutError)
    expect(failure).toMatchObject({ message: 'The request slow took longer than 50 ms' })
    expect(rpc.pending).toBe(0)
    expect(clock.pending).toBe(0)
    server.answer(asked, 'late')
    await until(() => unmatched.length === 1, 'the late answer is told')
    expect(unmatched).toEqual([{ kind: 'result', id: 7, result: 'late' }])
    const again = rpc.request('slow', undefined, { id: 7 })
    server.answer(await server.waitFor('slow', 2), 'in time')
    await expect(again).resolves.toBe('in time')
  })

  test('leaves nothing behind, however many of them are not answered in time at once', async () => {
    const clock = new FakeClock()
    const server = await serveRpc()
    const { rpc } = await rpcTo(server, { clock, timeoutMs: 1_000 })
    const unmatched = unmatchedOf(rpc)
    const calls = Promise.allSettled(numbers(100).map((n) => rpc.request('slow', { n })))
    await server.waitFor('slow', 100)
    expect(rpc.pending).toBe(100)
    clock.advance(1_000)
    const reasons = (await calls).map((call) => call.status === 'rejected' && call.reason)
    expect(reasons.every((reason) => reason instanceof TimeoutError)).toBe(true)
    expect(rpc.pending).toBe(0)
    expect(clock.pending).toBe(0)
    for (const asked of server.asked) server.fail(asked, { code: 1, message: 'late' })
    await until(() => unmatched.length === 100, 'all late answers are told')
  })

  test('waits ten seconds where nobody says how long, and not less', async () => {
    const clock = new FakeClock()
    const server = await serveRpc()
    const { rpc } = await rpcTo(server, { clock })
    let isSettled = false
    const call = rpc.request('slow')
    call.catch(() => {}).finally(() => (isSettled = true))
    await server.waitFor('slow')
    clock.advance(9_999)
    await nextTurn()
    expect(isSettled).toBe(false)
    clock.advance(1)
    await expect(call).rejects.toThrow(TimeoutError)
  })

  test('ends with the signal of its caller, and frees its id', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const abort = new AbortController()
    const call = rpc.request('slow', undefined, { id: 'x', signal: abort.signal })
    await server.waitFor('slow')
    abort.abort(new Error('enough'))
    await expect(call).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } })
    expect(rpc.pending).toBe(0)
    const again = rpc.request('slow', undefined, { id: 'x' })
    server.answer(await server.waitFor('slow', 2), 1)
    await expect(again).resolves.toBe(1)
  })

  test('may share its signal with many others, which leave one listener between them', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const abort = new AbortController()
    const { signal } = abort
    const calls = Promise.allSettled(
      numbers(30).map(() => rpc.request('slow', undefined, { signal })),
    )
    await server.waitFor('slow', 30)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    abort.abort()
    expect((await calls).every(({ status }) => status === 'rejected')).toBe(true)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('whose signal has aborted before is not sent', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc } = await rpcTo(server)
    await expect(
      rpc.request('first', undefined, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'aborted' })
    await rpc.request('last')
    expect(server.asked.map(({ method }) => method)).toEqual(['last'])
  })

  test('with the id of one that waits is refused and not sent, and the first still resolves', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc } = await rpcTo(server)
    const first = rpc.request('slow', { n: 1 }, { id: 'x' })
    const asked = await server.waitFor('slow')
    const second = await rpc.request('slow', { n: 2 }, { id: 'x' }).catch((error: unknown) => error)
    expect(second).toBeInstanceOf(DuplicateIdError)
    expect(second).toMatchObject({ code: 'duplicate-id', outcome: 'not-sent' })
    await rpc.request('last')
    expect(server.asked.map(({ method }) => method)).toEqual(['slow', 'last'])
    server.answer(asked, 'first')
    await expect(first).resolves.toBe('first')
  })

  test('gets an id of its own beside one that its caller chose', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const calls = [rpc.request('a', undefined, { id: 1 }), rpc.request('a'), rpc.request('a')]
    await server.waitFor('a', 3)
    expect(server.asked.map(({ id }) => id)).toEqual([1, 2, 3])
    for (const asked of server.asked) server.answer(asked, asked.id)
    await expect(Promise.all(calls)).resolves.toEqual([1, 2, 3])
  })

  test('is refused when too many wait already', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server, { maxPending: 2 })
    const calls = [rpc.request('a'), rpc.request('a')]
    const refused = await rpc.request('a').catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(QueueFullError)
    expect(refused).toMatchObject({ outcome: 'not-sent' })
    await server.waitFor('a', 2)
    for (const asked of server.asked) server.answer(asked, 1)
    await expect(Promise.all(calls)).resolves.toEqual([1, 1])
  })

  test('whose arguments JSON cannot carry is not sent, and frees its id', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const failure = await rpc.request('a', { n: 1n }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SerializationError)
    expect(failure).toMatchObject({ outcome: 'not-sent' })
    expect(rpc.pending).toBe(0)
    await expect(rpc.notify('a', { n: 1n })).rejects.toThrow(SerializationError)
  })

  test.each([
    ['id', { id: null }],
    ['id', { id: Number.NaN }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['signal', { signal: {} }],
    ['retries', { retries: 1 }],
  ])('with a bad option %s is refused', async (path, options) => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    const call = rpc.request('a', undefined, options as never)
    await expect(call).rejects.toMatchObject({ code: 'config', path })
    expect(rpc.pending).toBe(0)
  })

  test('may wait for a rate limit before it is sent, which may refuse it', async () => {
    const server = await serveRpc({ public: () => 1, private: () => 1 })
    const asked: unknown[] = []
    const { rpc } = await rpcTo(server, {
      beforeRequest: async ({ method, params }) => {
        asked.push([method, params])
        if (method === 'private') throw new Error('too much')
      },
    })
    await expect(rpc.request('public', { n: 1 })).resolves.toBe(1)
    await expect(rpc.request('private')).rejects.toThrow('too much')
    expect(asked).toEqual([
      ['public', { n: 1 }],
      ['private', undefined],
    ])
    expect(server.asked).toHaveLength(1)
    expect(rpc.pending).toBe(0)
  })
})

describe('requests and a rate limit', () => {
  test('requests wait for the tokens of the transport, beside its events', async () => {
    const clock = new FakeClock()
    const server = await serveRpc({ 'public/test': () => 'ok' })
    const limiter = new RateLimiter({ capacity: 2, refill: 1, intervalMs: 1_000, clock })
    const { rpc, transport } = await rpcTo(
      server,
      { beforeRequest: () => limiter.acquire(1) },
      { clock, heartbeat: false, admission: limiter },
    )
    await transport.publish(createEvent('order', null))
    await expect(rpc.request('public/test')).resolves.toBe('ok')
    const third = rpc.request('public/test')
    await until(() => limiter.waiting === 1, 'it waits for a token')
    expect(server.asked).toHaveLength(1)
    clock.advance(1_000)
    await expect(third).resolves.toBe('ok')
  })

  test('a request whose link ends while it waits for its turn is not sent on the next', async () => {
    const server = await serveRpc({ last: () => 1 })
    let goOn = (): void => {}
    let isFirst = true
    const turn = new Promise<void>((resolve) => (goOn = resolve))
    const { rpc, transport } = await rpcTo(server, {
      beforeRequest: async () => {
        if (!isFirst) return
        isFirst = false
        await turn
      },
    })
    const call = rpc.request('order').catch((error: unknown) => error)
    await cut(server.mock, transport)
    goOn()
    await expect(call).resolves.toMatchObject({ code: 'disconnected', outcome: 'not-sent' })
    await transport.connect()
    await rpc.request('last')
    expect(server.asked.map(({ method }) => method)).toEqual(['last'])
  })
})

describe('when the link ends', () => {
  test('all requests on it fail together, at once, and none of them is sent again', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc, transport } = await rpcTo(server)
    const calls = numbers(20).map((n) =>
      rpc.request('order', { n }).catch((error: unknown) => error),
    )
    await server.waitFor('order', 20)
    await cut(server.mock, transport)
    const failures = await Promise.all(calls)
    expect(failures.every((failure) => failure instanceof DisconnectedError)).toBe(true)
    expect(failures[0]).toMatchObject({
      message: 'The request order lost its link before it was answered',
      outcome: 'unknown',
    })
    expect(rpc.pending).toBe(0)
    await transport.connect()
    await rpc.request('last')
    expect(server.asked.filter(({ method }) => method === 'order')).toHaveLength(20)
  })

  test('the time limit of a lost request does not end one that has its id on the next link', async () => {
    const clock = new FakeClock()
    const server = await serveRpc()
    const { rpc, transport } = await rpcTo(server, { clock, timeoutMs: 10_000 })
    const lost = rpc.request('order', undefined, { id: 'x' }).catch((error: unknown) => error)
    await server.waitFor('order')
    await cut(server.mock, transport)
    await expect(lost).resolves.toMatchObject({ code: 'disconnected' })
    expect(clock.pending).toBe(0)
    clock.advance(5_000)
    await transport.connect()
    const next = rpc.request('order', undefined, { id: 'x' })
    const asked = await server.waitFor('order', 2)
    clock.advance(9_999)
    server.answer(asked, 'done')
    await expect(next).resolves.toBe('done')
  })

  test('a request without a link is refused at once and not kept for the next', async () => {
    const server = await serveRpc({ last: () => 1 })
    const rpc = jsonRpcProtocol()
    const transport = transportTo(server, { protocol: rpc })
    const refusal = { code: 'disconnected', outcome: 'not-sent' }
    await expect(rpc.request('early')).rejects.toMatchObject(refusal)
    await expect(rpc.notify('early')).rejects.toMatchObject(refusal)
    await transport.connect()
    await rpc.request('last')
    expect(server.mock.received).toHaveLength(1)
    await transport.close()
    await expect(rpc.request('late')).rejects.toMatchObject(refusal)
  })

  test('it is ready for requests again as soon as open is told', async () => {
    const server = await serveRpc({ hello: () => 'world' })
    const { rpc, transport } = await rpcTo(server)
    const answers: unknown[] = []
    transport.on('open', () => void rpc.request('hello').then((answer) => answers.push(answer)))
    await cut(server.mock, transport)
    await until(() => answers.length === 1, 'the request on the new link is answered')
    expect(answers).toEqual(['world'])
  })
})

describe('what comes beside the answers', () => {
  test('a tick that comes first is not taken for the answer, and reaches its subscriber', async () => {
    const server = await serveRpc()
    const { rpc, transport } = await rpcTo(server)
    const ticks = await collect(transport, 'ticker.>')
    const call = rpc.request('public/get_time')
    const asked = await server.waitFor('public/get_time')
    for (const n of numbers(50)) server.tell('ticker/btc', { n })
    server.answer(asked, 1)
    server.tell('ticker/btc', { n: 50 })
    await expect(call).resolves.toBe(1)
    await until(() => ticks.events.length === 51, 'all ticks arrive')
    expect(ticks.payloads).toEqual(numbers(51).map((n) => ({ n })))
    expect(ticks.events[0]?.type).toBe('ticker.btc')
  })

  test('an answer is received although a subscription has no room', async () => {
    const server = await serveRpc({ 'public/test': () => 'ok' })
    const { rpc, transport } = await rpcTo(server)
    const slow = await collect(transport, 'tick')
    slow.hasRoom = false
    server.tell('tick', { n: 1 })
    await until(() => slow.events.length === 1, 'it is full')
    await expect(rpc.request('public/test')).resolves.toBe('ok')
    slow.feed.ready()
  })

  test('a request of the server with an id that is pending is a request, and is answered', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    rpc.on('request', (request) => void request.respond({ got: request.params }))
    const call = rpc.request('ours', undefined, { id: 1 })
    const asked = await server.waitFor('ours')
    asked.connection.send({ jsonrpc: '2.0', id: 1, method: 'theirs', params: { n: 1 } })
    await server.mock.waitForMessage({ id: 1, result: { got: { n: 1 } } })
    expect(rpc.pending).toBe(1)
    server.answer(asked, 'ours')
    await expect(call).resolves.toBe('ours')
  })

  test('a request of the server that nobody listens for is told that there is no such method', async () => {
    const server = await serveRpc()
    await rpcTo(server)
    server.mock.inject({ jsonrpc: '2.0', id: 'q', method: 'theirs' })
    const { json } = await server.mock.waitForMessage({ id: 'q' })
    expect(json).toMatchObject({ error: { code: -32_601, message: 'Method not found' } })
  })

  test('a request of the server may be refused, is answered once, and not on another link', async () => {
    const server = await serveRpc()
    const { rpc, transport } = await rpcTo(server)
    const requests: JsonRpcNotices['request'][] = []
    rpc.on('request', (request) => requests.push(request))
    server.mock.inject({ jsonrpc: '2.0', id: 1, method: 'a' })
    server.mock.inject({ jsonrpc: '2.0', id: 2, method: 'b' })
    await until(() => requests.length === 2, 'both came')
    await requests[0]?.refuse({ code: 3, message: 'no' })
    await server.mock.waitForMessage({ id: 1, error: { code: 3, message: 'no' } })
    await expect(requests[0]?.respond(1)).rejects.toThrow('The request a is answered already')
    await cut(server.mock, transport)
    await transport.connect()
    await expect(requests[1]?.respond(1)).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('an answer that nobody waits for is a dead letter while nobody listens for such', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc, transport } = await rpcTo(server)
    const notices = record(transport)
    server.mock.inject({ jsonrpc: '2.0', id: 99, result: 'whose?' })
    await rpc.request('last')
    expect(only(notices, 'undeliverable')).toMatchObject([
      {
        reason: 'undecodable',
        raw: '{"jsonrpc":"2.0","id":99,"result":"whose?"}',
        error: { message: 'Nobody waits for the answer to request 99' },
      },
    ])
    expect(transport.status.state).toBe('ready')
  })

  test('a frame that is no message is a dead letter, and the link stays up', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc, transport } = await rpcTo(server)
    const notices = record(transport)
    server.mock.inject('{"jsonrpc":')
    server.mock.inject({ jsonrpc: '2.0', method: 'no type!' })
    await expect(rpc.request('last')).resolves.toBe(1)
    expect(only(notices, 'undeliverable').map(({ error }) => error.message)).toEqual([
      'The frame is no message of JSON-RPC 2.0',
      'The method no type! can be no type',
    ])
  })

  test('a listener that throws is reported and changes nothing', async () => {
    const server = await serveRpc({ last: () => 1 })
    const { rpc, transport } = await rpcTo(server)
    const notices = record(transport)
    rpc.on('unmatched', () => {
      throw new Error('listener')
    })
    server.mock.inject({ jsonrpc: '2.0', id: 99, result: 1 })
    await expect(rpc.request('last')).resolves.toBe(1)
    expect(only(notices, 'error')).toMatchObject([
      { kind: 'listener', error: { message: 'listener' } },
    ])
  })
})

describe('events', () => {
  test('are notifications: the type is the method, and the payload its arguments', async () => {
    const server = await serveRpc()
    const { transport } = await rpcTo(server)
    await transport.publish(createEvent('order.created', { total: 1 }))
    await transport.publish(createEvent('ping', null))
    await expect(transport.publish(createEvent('order.count', 7))).rejects.toMatchObject({
      code: 'serialization',
      outcome: 'not-sent',
    })
    await server.mock.waitForMessage({ method: 'ping', params: undefined })
    expect(server.mock.received.map(({ json }) => json)).toEqual([
      { jsonrpc: '2.0', method: 'order.created', params: { total: 1 } },
      { jsonrpc: '2.0', method: 'ping' },
    ])
  })

  test('are what the options make of notifications, and the other way round', async () => {
    const server = await serveRpc()
    const { rpc, transport } = await rpcTo(server, {
      toEvent: ({ method, params }) => {
        if (method !== 'subscription') return undefined
        const { channel, data } = params as { channel: string; data: unknown }
        return createEvent(channel, data)
      },
      toNotification: ({ type, payload }) => ({ method: 'publish', params: [type, payload] }),
    })
    const others: unknown[] = []
    rpc.on('notification', (notification) => others.push(notification))
    const all = await collect(transport)
    server.tell('subscription', { channel: 'a.b', data: 1 })
    server.tell('maintenance', { at: 'noon' })
    await transport.publish(createEvent('a', 1))
    await server.mock.waitForMessage({ method: 'publish', params: ['a', 1] })
    await until(() => others.length === 1, 'the other notification is told')
    expect(all.events).toMatchObject([{ type: 'a.b', payload: 1 }])
    expect(others).toEqual([
      { kind: 'notification', method: 'maintenance', params: { at: 'noon' } },
    ])
  })

  test('a message that wants no answer is sent as it is', async () => {
    const server = await serveRpc()
    const { rpc } = await rpcTo(server)
    await rpc.notify('hello', ['world'])
    const { json } = await server.mock.waitForMessage({ method: 'hello' })
    expect(json).toEqual({ jsonrpc: '2.0', method: 'hello', params: ['world'] })
  })
})

describe('the options', () => {
  test('subprotocols are offered, errors may be worth another try, and a clone has the same but its own requests', async () => {
    const fail = (): never => {
      throw { code: 10_028, message: 'too_many_requests' }
    }
    const server = await serveRpc({ fail }, { subprotocols: ['jsonrpc'] })
    const { rpc, transport } = await rpcTo(server, {
      subprotocols: ['jsonrpc'],
      isRetryable: ({ code }) => code === 10_028,
    })
    expect(server.mock.upgrades[0]?.headers['sec-websocket-protocol']).toBe('jsonrpc')
    await expect(rpc.request('fail')).rejects.toMatchObject({ retryable: true })
    const other = rpc.clone()
    const second = transportTo(server, { protocol: other })
    await second.connect()
    expect(second.status).toMatchObject({ protocol: 'jsonrpc' })
    await expect(other.request('fail')).rejects.toMatchObject({ retryable: true })
    const ids = (asked: readonly Asked[]): unknown[] => asked.map(({ id }) => id)
    expect(ids(server.asked)).toEqual([1, 1])
    expect(transport.status.state).toBe('ready')
  })

  test.each([
    ['timeoutMs', { timeoutMs: -1 }],
    ['maxPending', { maxPending: 0 }],
    ['subprotocols[0]', { subprotocols: [''] }],
    ['toEvent', { toEvent: 'a' }],
    ['toNotification', { toNotification: 'a' }],
    ['isRetryable', { isRetryable: true }],
    ['beforeRequest', { beforeRequest: 1 }],
    ['clock', { clock: {} }],
    ['timeout', { timeout: 1 }],
  ])('a bad %s is refused', (path, options) => {
    expect(() => jsonRpcProtocol(options as never)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
