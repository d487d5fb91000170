import { createEvent, type BackoffPolicy } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defaults, webSocketTransport } from '../src/index.ts'
import {
  cut,
  FastClock,
  collect,
  frameOf,
  leavesNothing,
  numbered,
  only,
  record,
  resources,
  serve,
  states,
  transportTo,
  until,
} from './harness.ts'

/** A policy that remembers which attempts it was asked about. */
function counting(): { readonly policy: BackoffPolicy; readonly attempts: number[] } {
  const attempts: number[] = []
  const policy: BackoffPolicy = (attempt) => {
    attempts.push(attempt)
    return 1
  }
  return { policy, attempts }
}

describe('a server that restarts', () => {
  test('on the same port gets the same client back: object, subscriptions and counters live on', async () => {
    const server = await serve({ handler: 'echo' })
    const transport = transportTo(server)
    const all = await collect(transport)
    await transport.publish(createEvent('a', 1))
    await until(() => all.events.length === 1, 'the first echo')
    await server.restart()
    await until(() => transport.status.state === 'ready', 'ready again')
    await transport.publish(createEvent('a', 2))
    await until(() => all.events.length === 2, 'the second echo')
    expect(transport.stats()).toMatchObject({ sent: 2, received: 2, reconnects: 1 })
    expect(transport.status).toMatchObject({ state: 'ready', generation: 2 })
  })

  test('is found again by a client that only subscribes, without any publish', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    await server.restart({ downMs: 20 })
    await server.waitForConnection({ index: 1 })
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the event arrives')
  })

  test('is dialed once for a hundred publishers that wait', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    let published: Promise<unknown>[] = []
    await server.restart({
      whileDown: async () => {
        await until(() => transport.status.state !== 'ready', 'the loss is seen')
        published = numbered(100).map((event) => transport.publish(event))
      },
    })
    await Promise.all(published)
    expect(server.upgradeAttempts).toBe(2)
    expect(server.connections).toHaveLength(2)
  })
})

describe('the attempts', () => {
  test('that are permitted follow the first failure: n of them, none with 0', async () => {
    for (const maxAttempts of [0, 1, 3]) {
      const server = await serve()
      server.faults.refuse(503)
      const { policy, attempts } = counting()
      const transport = transportTo(server, { reconnect: { maxAttempts, backoff: policy } })
      await expect(transport.connect({ retry: true })).rejects.toMatchObject({
        code: 'attempts-exhausted',
        retryable: false,
        cause: { code: 'handshake', status: 503 },
      })
      expect(server.upgradeAttempts).toBe(maxAttempts + 1)
      expect(attempts).toHaveLength(maxAttempts)
      expect(transport.status).toMatchObject({
        state: 'closed',
        cause: { code: 'attempts-exhausted' },
      })
    }
  })

  test('once used up reject publishers that wait, with the last failure as the cause', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: { maxAttempts: 1 } })
    const notices = record(transport)
    const event = createEvent('a', 1)
    await expect(transport.publish(event)).rejects.toMatchObject({
      code: 'closed',
      outcome: 'not-sent',
      cause: { code: 'attempts-exhausted', cause: { status: 503 } },
    })
    expect(only(notices, 'undeliverable')).toMatchObject([{ reason: 'closed', event }])
    await expect(transport.publish(event)).rejects.toMatchObject({
      code: 'closed',
      cause: { code: 'attempts-exhausted' },
    })
  })

  test('count on while a server accepts links and closes them at once [F37]', async () => {
    const server = await serve()
    server.faults.closeAfterOpen(1011)
    const { policy, attempts } = counting()
    const transport = transportTo(server, { reconnect: { backoff: policy, maxAttempts: 4 } })
    await transport.connect({ retry: true }).catch(() => {})
    await until(() => transport.status.state === 'closed', 'it gives up')
    expect(attempts).toEqual([1, 2, 3, 4])
    expect(server.connections).toHaveLength(5)
  })

  test('count from the beginning after a link that lasted [F37]', async () => {
    const server = await serve()
    const { policy, attempts } = counting()
    const reconnect = { backoff: policy, stableAfterMs: 20 }
    const transport = transportTo(server, { reconnect })
    for (let link = 0; link < 3; link++) {
      await transport.connect({ retry: true })
      const readyBy = performance.now()
      await until(() => performance.now() - readyBy > 25, 'it lasts')
      await cut(server, transport)
    }
    expect(attempts).toEqual([1, 1, 1])
  })

  test('end after the time without a link that is permitted, also in the middle of a wait [F41]', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      reconnect: { backoff: () => 60_000, giveUpAfterMs: 30 },
    })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'attempts-exhausted',
      cause: { status: 503 },
    })
    expect(server.upgradeAttempts).toBe(1)
  })

  test('report themselves: the number, the delay and the cause of each wait [F41]', async () => {
    const server = await serve()
    server.faults.refuse(500, { times: 2 })
    const transport = transportTo(server, { reconnect: { backoff: (n) => n * 2 } })
    const notices = record(transport)
    await transport.connect({ retry: true })
    const waits = only(notices, 'status').map(({ status }) => status)
    expect(waits.filter((status) => status.state === 'backoff')).toMatchObject([
      { attempt: 1, delayMs: 2, cause: { status: 500 } },
      { attempt: 2, delayMs: 4, cause: { status: 500 } },
    ])
    expect(only(notices, 'error')).toMatchObject([
      { kind: 'connection', error: { status: 500 } },
      { kind: 'connection', error: { status: 500 } },
    ])
  })
})

describe('reconnect: false', () => {
  test('makes the loss of the link the end, without a timer left', async () => {
    const server = await serve()
    const before = resources()
    const transport = transportTo(server, { reconnect: false })
    const notices = record(transport)
    await transport.connect()
    server.disconnect(1012, 'bye')
    await until(() => transport.status.state === 'closed', 'closed')
    expect(states(notices)).not.toContain('backoff')
    expect(transport.status).toMatchObject({ cause: { code: 'connection' } })
    await leavesNothing(before)
    expect(server.upgradeAttempts).toBe(1)
  })

  test('makes a failed first attempt the end', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: false })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ status: 503 })
    expect(transport.status.state).toBe('closed')
  })
})

describe('the close code', () => {
  test.each([1008, 3003, 4403, 4410, 4499])('%i ends the transport, by the table', async (code) => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    server.disconnect(code, 'why')
    await until(() => transport.status.state === 'closed', 'closed')
    expect(transport.status).toMatchObject({
      cause: { code: 'connection', message: expect.stringMatching(`${code}.*why`) as string },
    })
    expect(server.upgradeAttempts).toBe(1)
  })

  test('is given to classify, which has the last word', async () => {
    const server = await serve()
    const codes: unknown[] = []
    const transport = transportTo(server, {
      reconnect: {
        classify: (_error, closeCode) => {
          codes.push(closeCode)
          return closeCode === 1006 ? 'fatal' : 'transient'
        },
      },
    })
    await transport.connect()
    server.disconnect(4403)
    await server.waitForConnection({ index: 1 })
    await until(() => transport.status.state === 'ready', 'ready again')
    server.faults.reset()
    await until(() => transport.status.state === 'closed', 'closed')
    expect(codes).toEqual([4403, 1006])
  })
})

describe('a server that requires us to stay away', () => {
  test.each([429, 503])(
    'with %i and Retry-After is left alone for that long, and the backoff on top [F20]',
    async (status) => {
      const server = await serve()
      server.faults.refuse(status, { retryAfterSeconds: 2, times: 1 })
      const clock = new FastClock(100)
      const transport = transportTo(server, { clock, reconnect: { backoff: () => 7 } })
      const notices = record(transport)
      await transport.connect({ retry: true })
      expect(clock.waits).toContain(2_007)
      expect(only(notices, 'status').map(({ status: s }) => s)).toContainEqual(
        expect.objectContaining({ state: 'backoff', delayMs: 2_007 }),
      )
    },
  )

  test('for longer than a minute is tried again after a minute [F20]', async () => {
    const server = await serve()
    server.faults.refuse(503, { retryAfterSeconds: 86_400, times: 1 })
    const clock = new FastClock(2_000)
    const transport = transportTo(server, {
      clock,
      timeouts: { connectMs: 2_000_000 },
      reconnect: { backoff: () => 1 },
    })
    await transport.connect({ retry: true })
    expect(clock.waits).toContain(60_001)
  })
})

describe('a server that does not accept the credentials', () => {
  test.each([401, 403])('with %i and fixed headers is not tried again [F19]', async (status) => {
    const server = await serve()
    server.faults.refuse(status)
    const transport = transportTo(server, { headers: { authorization: 'old' } })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'auth',
      retryable: false,
      cause: { status },
    })
    expect(server.upgradeAttempts).toBe(1)
  })

  test('is tried once more with fresh headers, and gets us in with them [F19]', async () => {
    const server = await serve()
    server.faults.refuse(401, { times: 1 })
    let token = 0
    const transport = transportTo(server, { headers: () => ({ authorization: `t${++token}` }) })
    await transport.connect({ retry: true })
    expect(server.upgrades.map((u) => u.headers['authorization'])).toEqual(['t1', 't2'])
  })

  test('twice in a row is not tried a third time [F19]', async () => {
    const server = await serve()
    server.faults.refuse(401)
    const transport = transportTo(server, { headers: () => ({ authorization: 'still old' }) })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
    expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'auth' } })
    expect(server.upgradeAttempts).toBe(2)
  })

  test('may refresh again after a link', async () => {
    const server = await serve()
    const transport = transportTo(server, { headers: () => ({ authorization: 'x' }) })
    for (let round = 1; round <= 2; round++) {
      server.faults.refuse(401, { times: 1 })
      await transport.connect({ retry: true })
      await cut(server, transport)
    }
    await transport.connect({ retry: true })
    expect(server.connections.length).toBeGreaterThanOrEqual(3)
  })
})

describe('classify', () => {
  test('decides which failures are tried again, also about refused credentials', async () => {
    const server = await serve()
    server.faults.refuse(401, { times: 2 })
    const seen: unknown[] = []
    const transport = transportTo(server, {
      reconnect: {
        classify: (error) => {
          seen.push(error)
          return 'transient'
        },
      },
    })
    await transport.connect({ retry: true })
    expect(seen).toMatchObject([{ status: 401 }, { status: 401 }])
  })

  test('can end the transport for a failure that would be tried again', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: { classify: () => 'fatal' } })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ status: 503 })
    expect(server.upgradeAttempts).toBe(1)
  })
})

test('a function of the options that throws is reported, and its default stands in', async () => {
  const server = await serve()
  server.faults.refuse(503, { times: 1 })
  const throws = (): never => {
    throw new Error('mistake')
  }
  const clock = new FastClock(100)
  const transport = transportTo(server, {
    clock,
    reconnect: { backoff: throws, classify: throws },
  })
  const notices = record(transport)
  await transport.connect({ retry: true })
  server.disconnect(1001)
  await until(() => only(notices, 'open').length === 2, 'connected again')
  const mistakes = only(notices, 'error').filter(({ kind }) => kind === 'listener')
  expect(mistakes).toHaveLength(4)
  expect(mistakes[0]?.error.message).toBe('mistake')
})

describe('reconnect()', () => {
  test('replaces the link and keeps subscriptions and the queue; it resolves when the new one is ready', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const all = await collect(transport)
    const notices = record(transport)
    await transport.reconnect('rotate')
    expect(transport.status).toMatchObject({ state: 'ready', generation: 2 })
    const first = await server.waitForConnection()
    expect(await first.waitForClose()).toMatchObject({ code: 1001, reason: 'rotate' })
    await until(() => server.live.length === 1, 'one link')
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the event arrives')
    // Nothing went wrong.
    expect(only(notices, 'error')).toEqual([])
  })

  test('ends a wait between attempts, and the next failure waits as usual', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 2 })
    const transport = transportTo(server, { reconnect: { backoff: () => 60_000 } })
    await transport.connect().catch(() => {})
    await until(() => transport.status.state === 'backoff', 'backoff')
    await expect(transport.reconnect()).rejects.toMatchObject({ status: 503 })
    await until(() => transport.status.state === 'backoff', 'backoff again')
    expect(server.upgradeAttempts).toBe(2)
    await transport.reconnect()
    expect(server.upgradeAttempts).toBe(3)
  })

  test('while an attempt is under way makes no second one, and leaves nothing for the next loss [F117]', async () => {
    const server = await serve()
    server.faults.delay(20)
    const { policy, attempts } = counting()
    const transport = transportTo(server, { reconnect: { backoff: policy } })
    const connecting = transport.connect()
    await Promise.all([transport.reconnect(), transport.reconnect(), connecting])
    expect(server.upgradeAttempts).toBe(1)
    server.faults.clear()
    server.faults.reset()
    await until(() => server.connections.length === 2, 'connected again')
    expect(attempts).toEqual([1])
  })

  test('called many times at once makes one new link', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    await Promise.all(Array.from({ length: 10 }, () => transport.reconnect()))
    expect(server.upgradeAttempts).toBe(2)
  })

  test('before the first link makes it', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.reconnect()
    expect(server.upgradeAttempts).toBe(1)
  })
})

test('several signs of one loss make one reconnect [F38]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  await transport.connect()
  server.faults.sendRaw(Buffer.from([0xf1, 0x00]))
  server.disconnect(1001)
  server.faults.reset()
  transport.emit(createEvent('a', 1))
  await until(() => transport.stats().reconnects === 1, 'reconnected')
  await transport.publish(createEvent('a', 2))
  expect(server.connections).toHaveLength(2)
})

test('two hundred losses in a row leave one live socket and nothing else [F38]', async () => {
  const server = await serve()
  const transport = transportTo(server, { reconnect: { backoff: () => 0 } })
  const all = await collect(transport)
  const before = resources()
  for (let link = 1; link <= 200; link++) {
    server.faults.reset()
    await until(() => transport.stats().reconnects === link, `link ${link}`)
  }
  await until(() => server.live.length === 1, 'one link')
  await leavesNothing(before)
  server.inject(frameOf('a', 1))
  await until(() => all.events.length === 1, 'one event, once')
  await transport.publish(createEvent('a', 1))
  expect(all.events).toHaveLength(1)
})

test('clients without a backoff of their own come back at different moments [F36, F43]', async () => {
  const server = await serve()
  server.faults.refuse(503)
  const delays: number[] = []
  for (let n = 0; n < 20; n++) {
    const transport = webSocketTransport({ url: server.url })
    onTestFinished(() => transport.close())
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff' && status.attempt === 1) delays.push(status.delayMs)
    })
    await expect(transport.connect()).rejects.toMatchObject({ status: 503 })
  }
  await until(() => delays.length === 20, 'all wait')
  expect(new Set(delays).size).toBe(20)
  expect(Math.max(...delays)).toBeLessThanOrEqual(defaults.backoff.initialMs)
})
