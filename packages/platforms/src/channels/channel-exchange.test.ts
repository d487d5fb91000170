import { DisconnectedError } from '@bus/core'
import { FakeClock } from '@bus/testing'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'
import { ChannelExchange, type Verdict } from './channel-exchange.ts'
import {
  resolveChannelOptions,
  type ChannelAnswer,
  type ChannelSubscriptionsOptions,
} from './channel-options.ts'
import { describe, expect, test } from 'vitest'

interface Wait {
  match(frame: Frame): unknown
  resolve(found: never): void
}

/** A link whose frames the test gives. */
class FakeLink implements ProtocolLink {
  readonly ended = new AbortController()
  readonly subprotocol = ''
  readonly sent: Frame[] = []
  /** What `send` ends with. */
  failure: Error | undefined
  readonly #waits = new Set<Wait>()

  get signal(): AbortSignal {
    return this.ended.signal
  }

  get waiting(): number {
    return this.#waits.size
  }

  async send(frame: Frame): Promise<void> {
    this.sent.push(frame)
    if (this.failure !== undefined) throw this.failure
  }

  waitFor<T>(match: (frame: Frame) => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait: Wait = { match, resolve }
      this.#waits.add(wait)
      const end = (): void => {
        this.#waits.delete(wait)
        reject(signal?.reason ?? this.signal.reason)
      }
      signal?.addEventListener('abort', end)
      this.signal.addEventListener('abort', end)
    })
  }

  /** `true` when somebody took it. */
  give(answer: object): boolean {
    for (const wait of this.#waits) {
      const found = wait.match(JSON.stringify(answer))
      if (found === undefined) continue
      this.#waits.delete(wait)
      wait.resolve(found as never)
      return true
    }
    return false
  }

  report(): void {}
  close(): void {}
}

interface Scene {
  readonly link: FakeLink
  readonly clock: FakeClock
  readonly exchange: ChannelExchange
  readonly overheard: ChannelAnswer[]
}

function scene(own: Partial<ChannelSubscriptionsOptions> = {}): Scene {
  const clock = new FakeClock()
  const overheard: ChannelAnswer[] = []
  const options = resolveChannelOptions({
    subscribe: (channels, { id }) => `sub ${id} ${channels.join()}`,
    unsubscribe: (channels, { id }) => `unsub ${id} ${channels.join()}`,
    answer: (frame) => JSON.parse(String(frame)) as ChannelAnswer,
    clock,
    ...own,
  })
  const exchange = new ChannelExchange(options, (said) => overheard.push(...said))
  return { link: new FakeLink(), clock, exchange, overheard }
}

const plain = ({ granted, refused }: Verdict) => ({
  granted: [...granted],
  refused: [...refused].map(([channel, { message }]) => `${channel}: ${message}`),
})

describe('a request by frame', () => {
  test('counts its ids, and is over with its answer', async () => {
    const { link, exchange, clock } = scene()
    const first = exchange.run('subscribe', ['a', 'b'], link)
    expect(link.give({ id: 2 })).toBe(false)
    expect(link.give({ id: '1' })).toBe(true)
    expect(plain(await first)).toEqual({ granted: ['a', 'b'], refused: [] })
    const second = exchange.run('unsubscribe', ['a'], link)
    expect(link.give({})).toBe(true)
    expect(plain(await second)).toEqual({ granted: ['a'], refused: [] })
    expect(link.sent).toEqual(['sub 1 a,b', 'unsub 2 a'])
    expect([link.waiting, clock.pending]).toEqual([0, 0])
  })

  test('may be answered in parts that come in one turn', async () => {
    const { link, exchange } = scene()
    const asked = exchange.run('subscribe', ['a', 'b', 'c'], link)
    expect(link.give({ channels: ['b'] })).toBe(true)
    expect(link.give({ channels: ['a'], error: 'no' })).toBe(true)
    expect(link.give({ channels: ['x'] })).toBe(false)
    expect(link.give({ channels: ['b'] })).toBe(false)
    expect(link.give({ channels: ['c'] })).toBe(true)
    expect(plain(await asked)).toEqual({ granted: ['b', 'c'], refused: ['a: no'] })
  })

  test('may be answered with several things in one frame', async () => {
    const { link, exchange } = scene()
    const asked = exchange.run('subscribe', ['a', 'b', 'c'], link)
    const answers = [
      { id: 1, channels: ['a'] },
      { id: 9, error: 'not ours' },
      { id: 1, error: 'left out' },
    ]
    expect(link.give(answers)).toBe(true)
    const refused = ['b: left out', 'c: left out']
    expect(plain(await asked)).toEqual({ granted: ['a'], refused })
  })

  test.each([
    ['subscribe', ['a'], ['b: The server goes on without it']],
    ['unsubscribe', ['b'], ['a: The server goes on without it']],
  ] as const)('is compared with what there is by now (%s)', async (kind, granted, refused) => {
    const { link, exchange, overheard } = scene()
    const asked = exchange.run(kind, ['a', 'b'], link)
    link.give({ current: ['a', 'z'] })
    expect(plain(await asked)).toMatchObject({ granted, refused })
    expect(overheard).toEqual([{ current: ['a', 'z'] }])
  })

  test('keeps what was answered until the time was up, and says nothing of the rest', async () => {
    const { link, exchange, clock } = scene({ expiresMs: 100 })
    const asked = exchange.run('subscribe', ['a', 'b', 'c'], link)
    link.give({ channels: ['a'] })
    link.give({ channels: ['b'], error: 'no' })
    clock.advance(100)
    const { granted, refused } = await asked
    expect([...granted, ...refused.keys()]).toEqual(['a', 'b'])
    expect([link.waiting, clock.pending]).toEqual([0, 0])
  })

  test('is refused when its frame cannot be made', async () => {
    const cause = new TypeError('no frame')
    const { link, exchange } = scene({
      subscribe: () => {
        throw cause
      },
    })
    expect((await exchange.run('subscribe', ['a'], link)).refused.get('a')).toBe(cause)
  })

  test('has succeeded without one, where the server is not told', async () => {
    const { link, exchange } = scene({ unsubscribe: undefined })
    expect(plain(await exchange.run('unsubscribe', ['a'], link)).granted).toEqual(['a'])
    expect(link.sent).toEqual([])
  })
})

describe('the loss of the link', () => {
  test('ends the request with the reason of the link', async () => {
    const { link, exchange, clock } = scene()
    const asked = exchange.run('subscribe', ['a'], link)
    asked.catch(() => {})
    const reason = new DisconnectedError('gone')
    link.ended.abort(reason)
    await expect(asked).rejects.toBe(reason)
    expect(clock.pending).toBe(0)
  })

  test('may be noticed by the write first', async () => {
    const { link, exchange, clock } = scene()
    link.failure = new DisconnectedError('broken pipe')
    await expect(exchange.run('subscribe', ['a'], link)).rejects.toBe(link.failure)
    expect(clock.pending).toBe(0)
  })
})

describe('a request of its own', () => {
  test.each([
    ['nothing', undefined, { granted: ['a', 'b'], refused: [] }],
    ['some', ['b', 'x'], { granted: ['b'], refused: ['a: The server left it out of its answer'] }],
  ])('that resolves with %s', async (_what, result, verdict) => {
    const { link, exchange } = scene({ subscribe: async () => result })
    expect(plain(await exchange.run('subscribe', ['a', 'b'], link))).toEqual(verdict)
  })

  test('that hangs is over in time, and its signal tells it', async () => {
    const signals: AbortSignal[] = []
    const { link, exchange, clock } = scene({
      subscribe: (_channels, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
    })
    const asked = exchange.run('subscribe', ['a'], link)
    clock.advance(5_000)
    expect(plain(await asked)).toEqual({ granted: [], refused: [] })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})
