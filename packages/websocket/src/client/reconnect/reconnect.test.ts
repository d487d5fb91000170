import { AbortedError, ConnectionError, type BusError } from '@bus/core'
import { assert, asyncProperty, constantFrom, array } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { OpossumBreaker } from './breaker.ts'
import { Lifecycle } from './lifecycle.ts'
import type { CloseInfo, Link } from '../link/link.ts'
import type { ReconnectOptions } from '../options/options.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { Reconnector } from './reconnect.ts'

/** Lets every promise that is settled by now be heard. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const LOST: CloseInfo = {
  code: 1006,
  reason: '',
  wasClean: false,
  initiatedBy: 'remote',
  error: undefined,
}

/** A network without sockets: each dial waits for the test to say how it ends. */
class Simulation {
  readonly clock = new FakeClock()
  readonly states: string[] = []
  readonly failures: BusError[] = []
  readonly endings: BusError[] = []
  readonly dials: { succeed(): void; fail(error: Error): void }[] = []
  readonly ups: number[] = []
  openLinks = 0
  lose: (info?: CloseInfo) => void = () => {}
  readonly reconnector: Reconnector
  readonly lifecycle: Lifecycle

  constructor(reconnect: false | ReconnectOptions = {}, breaker?: OpossumBreaker) {
    const { clock } = this
    this.lifecycle = new Lifecycle({
      now: () => clock.now(),
      onChange: ({ status }) => void this.states.push(status.state),
      onError: () => {},
    })
    const policy = reconnect === false ? false : { backoff: () => 100, ...reconnect }
    const options = resolveOptions({ url: 'ws://h/', clock, reconnect: policy, breaker: false })
    this.reconnector = new Reconnector(options, this.lifecycle, breaker, {
      dial: (_attempt, signal) => this.#dial(signal),
      bootstrap: async () => {},
      up: (link) => void this.ups.push(link.generation),
      down: () => {},
      failed: (error) => void this.failures.push(error),
      misbehaved: () => {},
      ended: (cause) => void this.endings.push(cause),
    })
  }

  #dial(signal: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) => {
      this.dials.push({ succeed: () => resolve(this.#link()), fail: reject })
      signal.addEventListener('abort', () => reject(new AbortedError('Connecting')))
    })
  }

  #link(): Link {
    const ended = new AbortController()
    let isOver = false
    let resolve: (info: CloseInfo) => void = () => {}
    const closed = new Promise<CloseInfo>((r) => (resolve = r))
    const lose = (info = LOST): void => {
      if (isOver) return
      isOver = true
      this.openLinks--
      ended.abort()
      resolve(info)
    }
    const close = (code: number): void => lose({ ...LOST, code, initiatedBy: 'local' })
    const link = {
      generation: 0,
      start: (generation: number): void => {
        this.openLinks++
        this.lose = lose
        link.generation = generation
      },
      terminate: () => {},
      closed,
      signal: ended.signal,
      subprotocol: '',
      close,
    }
    return link as unknown as Link
  }

  async ready(): Promise<void> {
    this.dials.at(-1)?.succeed()
    await settle()
  }
}

describe('the reconnector', () => {
  test('has one timer at most, and none while it dials, is ready or is stopped', async () => {
    const s = new Simulation()
    s.reconnector.start()
    s.reconnector.start()
    expect([s.dials.length, s.clock.pending]).toEqual([1, 0])
    s.dials[0]?.fail(new ConnectionError('refused'))
    await settle()
    expect([s.lifecycle.state, s.clock.pending]).toEqual(['backoff', 1])
    s.clock.advance(99)
    await settle()
    expect(s.dials).toHaveLength(1)
    s.clock.advance(1)
    await settle()
    expect([s.dials.length, s.clock.pending]).toEqual([2, 0])
    await s.ready()
    expect([s.lifecycle.state, s.clock.pending]).toEqual(['ready', 0])
    s.lose()
    await settle()
    expect(s.clock.pending).toBe(1)
    s.reconnector.stop()
    await settle()
    expect(s.clock.pending).toBe(0)
    expect(s.endings).toEqual([])
  })

  test('dials at once after reconnect(), whether there is a link or a wait', async () => {
    const s = new Simulation()
    s.reconnector.start()
    await s.ready()
    s.reconnector.reconnect('rotate')
    await settle()
    expect(s.dials).toHaveLength(2)
    expect(s.failures).toEqual([])
    s.dials[1]?.fail(new ConnectionError('refused'))
    await settle()
    s.reconnector.reconnect('now')
    await settle()
    expect(s.dials).toHaveLength(3)
  })

  test('ends once, with the reason, and does not start again', async () => {
    const s = new Simulation({ maxAttempts: 0 })
    s.reconnector.start()
    s.dials[0]?.fail(new ConnectionError('refused'))
    await settle()
    s.reconnector.start()
    await settle()
    expect(s.endings).toMatchObject([{ code: 'attempts-exhausted' }])
    expect(s.dials).toHaveLength(1)
  })

  test('dials at the same moments with a breaker, open or not, as without one [F170]', async () => {
    const dialTimes = async (breaker?: OpossumBreaker): Promise<readonly number[]> => {
      const s = new Simulation({ backoff: (failures) => 2 ** failures }, breaker)
      const times: number[] = []
      s.reconnector.start()
      for (let n = 1; n <= 8; n++) {
        times.push(s.clock.now())
        s.dials.at(-1)?.fail(new ConnectionError('refused'))
        await settle()
        s.clock.advance(2 ** n)
        await settle()
      }
      expect(s.dials).toHaveLength(9)
      s.reconnector.stop()
      return times
    }
    const breaker = new OpossumBreaker({ failureThreshold: 3, openMs: 600_000 })
    const [without, withBreaker] = [await dialTimes(), await dialTimes(breaker)]
    expect(breaker.stats()).toMatchObject({ failures: 8 })
    expect(withBreaker).toEqual(without)
    breaker.close()
  })

  test('waits out a delay that is longer than one timer can be', async () => {
    const s = new Simulation({ backoff: () => 2 ** 31 - 1 })
    s.reconnector.start()
    s.dials[0]?.fail(new ConnectionError('refused'))
    await settle()
    s.clock.advance(2 ** 31 - 2)
    await settle()
    expect(s.dials).toHaveLength(1)
    s.clock.advance(1)
    await settle()
    expect(s.dials).toHaveLength(2)
  })

  test('never has two links or two attempts at once, whatever happens in whatever order', async () => {
    const step = constantFrom('succeed', 'fail', 'lose', 'reconnect', 'wait', 'start')
    await assert(
      asyncProperty(array(step, { maxLength: 40 }), async (steps) => {
        const s = new Simulation()
        s.reconnector.start()
        for (const what of steps) {
          if (what === 'succeed') s.dials.at(-1)?.succeed()
          if (what === 'fail') s.dials.at(-1)?.fail(new ConnectionError('refused'))
          if (what === 'lose') s.lose()
          if (what === 'reconnect') s.reconnector.reconnect('why')
          if (what === 'wait') s.clock.advance(100)
          if (what === 'start') s.reconnector.start()
          await settle()
          expect(s.openLinks).toBeLessThanOrEqual(1)
          expect(s.clock.pending).toBeLessThanOrEqual(1)
          expect(s.openLinks === 1).toBe(s.lifecycle.state === 'ready')
          expect(s.clock.pending === 1).toBe(s.lifecycle.state === 'backoff')
        }
        expect(s.ups).toEqual(s.ups.map((_, n) => n + 1))
        expect(s.endings).toEqual([])
        s.reconnector.stop()
        s.lose()
        await settle()
        expect(s.clock.pending).toBe(0)
      }),
      { numRuns: 60 },
    )
  })
})
