import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'
import { transportPool, type TransportPool } from '../src/pool.ts'
import type { TransportPoolOptions } from '../src/pool-options.ts'
import {
  DisconnectedError,
  SerializationError,
  TimeoutError,
  createEvent,
  type Event,
  type TransportEvents,
  type Undeliverable,
} from '@bus/core'
import { SimulatedClock, StubTransport, stateOf } from '@bus/test-support'
import { NoConnectionsError } from '@bus/compose'

const event = createEvent('a', 1)
const notSent = new DisconnectedError('no link', { outcome: 'not-sent' })
const lost = new DisconnectedError('lost', { outcome: 'unknown' })

const stubs = (count: number): StubTransport[] =>
  Array.from({ length: count }, (_, n) => new StubTransport(`stub${n}`))

function poolOf(
  transports: readonly StubTransport[],
  options: TransportPoolOptions = {},
): TransportPool {
  const pool = transportPool({ transports, ...options })
  onTestFinished(() => pool.close())
  return pool
}

function failing(transport: StubTransport, error: Error = notSent): StubTransport {
  transport.onPublish = () => Promise.reject(error)
  return transport
}

function noticesOf<K extends keyof TransportEvents>(
  pool: TransportPool,
  name: K,
): TransportEvents[K][] {
  const notices: TransportEvents[K][] = []
  pool.on(name, (notice) => void notices.push(notice))
  return notices
}

describe('choosing', () => {
  test('of no members finds no connection', () => {
    expect(() => poolOf([]).select()).toThrow(NoConnectionsError)
  })

  test('of one member finds it', () => {
    const [one] = stubs(1)
    const pool = poolOf([one as StubTransport])
    expect([pool.select(), pool.select()]).toEqual([one, one])
  })

  test('of several finds the one with the best score', () => {
    const [busy, best, full] = stubs(3) as [StubTransport, StubTransport, StubTransport]
    busy.stats = { ...busy.stats, size: 2 }
    full.stats = { ...full.stats, fillRatio: 0.5 }
    const pool = poolOf([busy, best, full])
    expect(pool.scores()).toMatchObject([
      { name: 'stub0-1', score: 80, transport: busy },
      { name: 'stub1-2', score: 100, transport: best },
      { name: 'stub2-3', score: 94, transport: full },
    ])
    for (let n = 0; n < 3; n++) expect(pool.select()).toBe(best)
  })

  test('of equals takes turns', () => {
    const members = stubs(3)
    const pool = poolOf(members)
    const chosen = Array.from({ length: 6 }, () => pool.select())
    expect(chosen).toEqual([...members, ...members])
  })

  test('counts slow publishes against a member', async () => {
    const clock = new SimulatedClock()
    const [slow, quick] = stubs(2) as [StubTransport, StubTransport]
    slow.onPublish = ({ id }) => {
      clock.advance(100)
      return Promise.resolve({ id, status: 'confirmed', attempts: 1 })
    }
    const pool = poolOf([slow, quick], { clock })
    await pool.publish(event)
    expect(pool.scores().map(({ score }) => score)).toEqual([96, 100])
    expect(pool.select()).toBe(quick)
  })

  test.each(['idle', 'connecting', 'bootstrapping', 'backoff', 'draining', 'closed'] as const)(
    'never finds a member that is %s, however bad the others are',
    (state) => {
      const [other, bad] = [new StubTransport('other', state), new StubTransport('bad')]
      bad.stats = { ...bad.stats, size: 1_000, fillRatio: 1 }
      const pool = poolOf([other, bad])
      for (let n = 0; n < 3; n++) expect(pool.select()).toBe(bad)
      expect(pool.scores()[0]?.score).toBe(0)
    },
  )

  test('skips a member that cannot say how it is', () => {
    const [broken, other] = stubs(2) as [StubTransport, StubTransport]
    broken.backpressureStats = () => {
      throw new Error('being made again')
    }
    const pool = poolOf([broken, other])
    expect([pool.select(), pool.select()]).toEqual([other, other])
  })
})

describe('failures', () => {
  test('count for 60 seconds, and a success clears them', async () => {
    const clock = new SimulatedClock()
    const [only] = stubs(1) as [StubTransport]
    const pool = poolOf([only], { clock })
    const score = (): number | undefined => pool.scores()[0]?.score
    failing(only)
    await expect(pool.publish(event)).rejects.toBe(notSent)
    clock.advance(30_000)
    await expect(pool.publish(event)).rejects.toBe(notSent)
    expect(score()).toBe(80)
    clock.advance(30_000)
    expect(score()).toBe(85)
    clock.advance(30_000)
    expect(score()).toBe(100)
    await expect(pool.publish(event)).rejects.toBe(notSent)
    only.onPublish = new StubTransport().onPublish
    await pool.publish(event)
    expect(score()).toBe(100)
  })

  test('count as long as errorDecayMs says', async () => {
    const clock = new SimulatedClock()
    const [only] = stubs(1) as [StubTransport]
    const pool = poolOf([failing(only)], { clock, errorDecayMs: 10 })
    await expect(pool.publish(event)).rejects.toBe(notSent)
    clock.advance(10)
    expect(pool.scores()[0]?.score).toBe(100)
  })

  test('of the event itself count against nobody, and nobody else gets it', async () => {
    const [one, two] = stubs(2) as [StubTransport, StubTransport]
    const error = new SerializationError('a cycle', { outcome: 'not-sent' })
    const pool = poolOf([failing(one, error), two])
    await expect(pool.publish(event)).rejects.toBe(error)
    expect(two.published).toEqual([])
    expect(pool.scores().map(({ score }) => score)).toEqual([100, 100])
  })
})

describe('failing over', () => {
  test('goes to the next best, tells each turn, and rejects with the last error', async () => {
    const [best, second, third] = stubs(3) as [StubTransport, StubTransport, StubTransport]
    const errors = ['1', '2', '3'].map((n) => new DisconnectedError(n, { outcome: 'not-sent' }))
    for (const [i, stub] of [best, second, third].entries()) {
      stub.stats = { ...stub.stats, size: i }
      failing(stub, errors[i])
    }
    const told: unknown[] = []
    const listen = (message: unknown): void => void told.push(message)
    subscribe('bus.pool.failover', listen)
    onTestFinished(() => void unsubscribe('bus.pool.failover', listen))
    const pool = poolOf([third, best, second], { name: 'links' })
    await expect(pool.publish(event)).rejects.toBe(errors[2])
    expect([best, second, third].map(({ published }) => published.length)).toEqual([1, 1, 1])
    expect(told).toEqual([
      { pool: 'links', member: 'stub0-2', attempt: 1, error: errors[0] },
      { pool: 'links', member: 'stub1-3', attempt: 2, error: errors[1] },
    ])
  })

  test.each([1, 2])('tries %i members at most when told so', async (maxAttempts) => {
    const members = stubs(4).map((stub) => failing(stub))
    const attempts = (): number => members.reduce((sum, { published }) => sum + published.length, 0)
    await expect(poolOf(members, { maxAttempts }).publish(event)).rejects.toBe(notSent)
    expect(attempts()).toBe(maxAttempts)
    await expect(poolOf(members).publish(event, { maxAttempts })).rejects.toBe(notSent)
    expect(attempts()).toBe(2 * maxAttempts)
  })

  test('tries three members where nothing is said', async () => {
    const members = stubs(4).map((stub) => failing(stub))
    await expect(poolOf(members).publish(event)).rejects.toBe(notSent)
    expect(members.map(({ published }) => published.length)).toEqual([1, 1, 1, 0])
  })

  test('sends what was published, whatever became of the payload', async () => {
    const [one, two] = stubs(2) as [StubTransport, StubTransport]
    const payload = { n: 1 }
    one.onPublish = () => {
      payload.n = 2
      return Promise.reject(notSent)
    }
    await poolOf([one, two]).publish(createEvent('a', payload))
    expect(two.published[0]?.payload).toEqual({ n: 1 })
  })

  test('does not send elsewhere what may have arrived, unless it is idempotent', async () => {
    const late = new TimeoutError('too late', { outcome: 'unknown' })
    for (const error of [late, lost]) {
      const [one, two] = stubs(2) as [StubTransport, StubTransport]
      const pool = poolOf([failing(one, error), two])
      await expect(pool.publish(event)).rejects.toBe(error)
      expect(two.published).toEqual([])
      pool.scores()
      const sent = poolOf([failing(one, error), two], { idempotent: true }).publish(event)
      await expect(sent).resolves.toMatchObject({ status: 'confirmed' })
      expect(two.published).toHaveLength(1)
      await poolOf([failing(one, error), two]).publish(event, { idempotent: true })
      expect(two.published).toHaveLength(2)
    }
  })

  test('gives each member its own time, within that of the caller', async () => {
    const clock = new SimulatedClock()
    const [one, two] = stubs(2) as [StubTransport, StubTransport]
    one.onPublish = () => {
      clock.advance(40)
      return Promise.reject(new TimeoutError('late', { outcome: 'not-sent' }))
    }
    const pool = poolOf([one, two], { clock, attemptTimeoutMs: 50 })
    await pool.publish(event, { timeoutMs: 70 })
    expect([one.limits[0]?.timeoutMs, two.limits[0]?.timeoutMs]).toEqual([50, 30])
  })

  test('keeps to itself that a member gave the event up, unless all do', async () => {
    const [one, two] = stubs(2) as [StubTransport, StubTransport]
    const pool = poolOf([one, two])
    const given = noticesOf(pool, 'undeliverable')
    const notice = (of: Event): Undeliverable => ({
      reason: 'dropped',
      direction: 'outbound',
      error: notSent,
      attempts: 0,
      event: of,
    })
    for (const stub of [one, two]) {
      stub.onPublish = (published) => {
        stub.tell('undeliverable', notice(published))
        return Promise.reject(notSent)
      }
    }
    await expect(pool.publish(event)).rejects.toBe(notSent)
    expect(given).toEqual([notice(event)])
    two.onPublish = new StubTransport().onPublish
    two.stats = { ...two.stats, size: 4 }
    for (let n = 0; n < 3; n++) await pool.publish(event)
    expect(one.published.length).toBeGreaterThan(1)
    expect(given).toHaveLength(1)
    // What nobody waits for is told.
    const emitted = createEvent('b', 2)
    two.tell('undeliverable', notice(emitted))
    expect(given[1]).toEqual(notice(emitted))
  })
})

describe('without a member that is ready', () => {
  test('a publish waits for the first, in order', async () => {
    const member = new StubTransport('m', 'backoff')
    const pool = poolOf([member])
    const events = [1, 2, 3].map((n) => createEvent('a', n))
    const all = events.map((one) => pool.publish(one))
    expect(await stateOf(Promise.all(all))).toBe('pending')
    member.become('ready')
    await Promise.all(all)
    expect(member.published.map(({ payload }) => payload)).toEqual([1, 2, 3])
  })

  test('a publish rejects at once when it is told to, or when nobody can become ready', async () => {
    const options = { whenDisconnected: 'reject' } as const
    const connecting = new StubTransport('m', 'connecting')
    const answers = [
      poolOf([connecting], options).publish(event),
      poolOf([new StubTransport('m', 'closed')]).publish(event),
      poolOf([]).publish(event),
    ]
    for (const answer of answers) {
      await expect(answer).rejects.toMatchObject({ code: 'no-connections', outcome: 'not-sent' })
    }
  })

  test('a publish that waits ends when the last member does, or the pool', async () => {
    const member = new StubTransport('m', 'backoff')
    const waits = poolOf([member]).publish(event)
    member.become('closed')
    await expect(waits).rejects.toMatchObject({ code: 'no-connections' })
    const pool = poolOf([new StubTransport('m', 'backoff')])
    const closed = pool.publish(event)
    await pool.close()
    await expect(closed).rejects.toMatchObject({ code: 'closed' })
  })

  test('as many publishes wait as maxWaiting says, each as long as it wants', async () => {
    const clock = new SimulatedClock()
    const pool = poolOf([new StubTransport('m', 'backoff')], { maxWaiting: 1, clock })
    const first = pool.publish(event, { timeoutMs: 10 })
    await expect(pool.publish(event)).rejects.toMatchObject({ code: 'queue-full' })
    clock.advance(10)
    await expect(first).rejects.toMatchObject({ code: 'timeout', outcome: 'not-sent' })
  })

  test('emit uses the queue of one that may become ready, and tells what nobody takes', () => {
    const [closed, waiting] = [new StubTransport('c', 'closed'), new StubTransport('w', 'backoff')]
    const pool = poolOf([closed, waiting])
    const given = noticesOf(pool, 'undeliverable')
    expect(pool.emit(event)).toBe(true)
    expect(waiting.emitted).toEqual([event])
    waiting.become('closed')
    expect(pool.emit(event)).toBe(false)
    expect(given).toMatchObject([{ reason: 'rejected', error: { code: 'no-connections' } }])
  })
})

describe('discovery', () => {
  test('is asked before each choice; who is new takes part, and who is gone does not', async () => {
    const [one, two] = stubs(2) as [StubTransport, StubTransport]
    let list = [one]
    const pool = transportPool({ discover: () => list })
    const seen: unknown[] = []
    const feed = pool.subscribe(['a'], { deliver: (e) => seen.push(e.payload) > 0 })
    await pool.publish(event)
    await feed.live
    list = [two]
    await pool.publish(event)
    expect([one.published.length, two.published.length]).toEqual([1, 1])
    expect([one.feeds[0]?.hasEnded, two.feeds[0]?.hasEnded]).toEqual([true, false])
    two.feeds[0]?.sink.deliver(event, 0)
    one.feeds[0]?.sink.deliver(createEvent('a', 'gone'), 0)
    expect(seen).toEqual([1])
    expect(one.listeners).toBe(0)
    await pool.close()
    // They belong to whoever made them.
    expect([one.closes, two.closes, two.listeners]).toEqual([0, 0, 0])
  })

  test('that is empty finds no connection, and one to come is found', async () => {
    const list: StubTransport[] = []
    const pool = transportPool({ discover: () => list })
    await expect(pool.publish(event)).rejects.toMatchObject({ code: 'no-connections' })
    list.push(new StubTransport('late', 'idle'))
    await expect(pool.publish(event)).resolves.toMatchObject({ id: event.id })
    list[0]?.become('closed')
    expect(pool.status.state).toBe('idle')
    await pool.close()
  })

  test('that throws is told, and the members stay', async () => {
    const [one] = stubs(1) as [StubTransport]
    let isBroken = false
    const pool = transportPool({
      discover: () => {
        if (isBroken) throw new Error('nobody home')
        return [one]
      },
    })
    const errors = noticesOf(pool, 'error')
    await pool.publish(event)
    isBroken = true
    expect(pool.select()).toBe(one)
    expect(errors).toMatchObject([{ kind: 'listener', error: { message: 'nobody home' } }])
    await pool.close()
  })
})

test.each([
  [{}, 'transports'],
  [{ transports: [], discover: () => [] }, 'transports'],
  [{ transports: [{}] }, 'transports[0]'],
  [{ transports: [], maxAttempts: 0 }, 'maxAttempts'],
  [{ transports: [], dedupeWindow: 0 }, 'dedupeWindow'],
  [{ transports: [], maxAttempt: 1 }, 'maxAttempt'],
] as [object, string][])('refuses %j and names the option', (options, path) => {
  expect(() => transportPool(options)).toThrow(expect.objectContaining({ code: 'config', path }))
})
