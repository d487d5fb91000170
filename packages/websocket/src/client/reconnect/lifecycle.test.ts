import { ConnectionError, type StateName } from '@bus/core'
import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  Lifecycle,
  TRANSITIONS,
  type Entry,
  type LifecycleOptions,
  type Next,
  type StatusChange,
} from './lifecycle.ts'

const STATES = Object.keys(TRANSITIONS) as StateName[]
const cause = new ConnectionError('gone')

const ENTRIES: { readonly [S in StateName]: Entry<S> } = {
  idle: { state: 'idle' },
  connecting: { state: 'connecting', attempt: 1 },
  bootstrapping: { state: 'bootstrapping', attempt: 1 },
  ready: { state: 'ready', protocol: '' },
  backoff: { state: 'backoff', attempt: 1, delayMs: 5, cause },
  draining: { state: 'draining' },
  closed: { state: 'closed', cause: undefined },
}

function create(options: Partial<LifecycleOptions> = {}) {
  const changes: StatusChange[] = []
  const errors: unknown[] = []
  let now = 0
  const lifecycle = new Lifecycle({
    now: () => ++now,
    onChange: (change) => changes.push(change),
    onError: (error) => errors.push(error),
    ...options,
  })
  // The types are the first guard; tests of the second one go around them.
  const force = (next: StateName): void => {
    lifecycle.enter(lifecycle.state as 'idle', ENTRIES[next] as Entry<Next<'idle'>>)
  }
  return { lifecycle, changes, errors, force }
}

/** A shortest way from idle to each state. */
const WAYS: Readonly<Record<StateName, readonly StateName[]>> = {
  idle: [],
  connecting: ['connecting'],
  bootstrapping: ['connecting', 'bootstrapping'],
  ready: ['connecting', 'bootstrapping', 'ready'],
  backoff: ['connecting', 'backoff'],
  draining: ['draining'],
  closed: ['closed'],
}

const isAllowed = (from: StateName, to: StateName): boolean =>
  (TRANSITIONS[from] as readonly StateName[]).includes(to)

describe('the table', () => {
  it('names only states that exist and lets every state but closed end in closed', () => {
    for (const state of STATES) {
      const next: readonly StateName[] = TRANSITIONS[state]
      expect(STATES).toEqual(expect.arrayContaining([...next]))
      expect(next.includes('closed')).toBe(state !== 'closed')
    }
  })

  const pairs = STATES.flatMap((from) => STATES.map((to) => [from, to] as const))
  it.each(pairs.filter(([from, to]) => isAllowed(from, to)))('leads from %s to %s', (from, to) => {
    const { lifecycle, force } = create()
    WAYS[from].forEach(force)
    expect(lifecycle.can(to)).toBe(true)
    force(to)
    expect(lifecycle.state).toBe(to)
  })

  it.each(pairs.filter(([from, to]) => !isAllowed(from, to)))(
    'does not lead from %s to %s: nothing changes and nobody is told',
    (from, to) => {
      const { lifecycle, changes, force } = create()
      WAYS[from].forEach(force)
      const before = lifecycle.status
      const told = changes.length
      expect(lifecycle.can(to)).toBe(false)
      expect(() => force(to)).toThrow(TypeError)
      expect(lifecycle.status).toBe(before)
      expect(changes).toHaveLength(told)
    },
  )

  it('refuses a caller that is wrong about the current state', () => {
    const { lifecycle } = create()
    expect(() => lifecycle.enter('ready', ENTRIES.backoff)).toThrow(
      'Cannot enter `backoff` from `ready`: the state is `idle`',
    )
  })

  it('makes a pair outside the table a compile error', () => {
    const { lifecycle } = create()
    expectTypeOf<Next<'draining'>>().toEqualTypeOf<'backoff' | 'closed'>()
    expectTypeOf<Next<'closed'>>().toEqualTypeOf<never>()
    expectTypeOf<Next<StateName>>().toEqualTypeOf<never>()
    expectTypeOf<Next<'ready' | 'bootstrapping'>>().toEqualTypeOf<
      'backoff' | 'draining' | 'closed'
    >()
    // @ts-expect-error ready cannot follow idle
    expect(() => lifecycle.enter('idle', ENTRIES.ready)).toThrow(TypeError)
  })
})

describe('a lifecycle', () => {
  it('starts idle and carries the data of each state', () => {
    const { lifecycle, force } = create()
    expect(lifecycle.status).toEqual({ state: 'idle', since: 1 })
    lifecycle.enter('idle', { state: 'connecting', attempt: 3 })
    expect(lifecycle.status).toEqual({ state: 'connecting', since: 2, attempt: 3 })
    expect(lifecycle.enter('connecting', { state: 'bootstrapping', attempt: 3 })).toEqual({
      state: 'bootstrapping',
      since: 3,
      attempt: 3,
      generation: 1,
    })
    lifecycle.enter('bootstrapping', { state: 'ready', protocol: 'p' })
    expect(lifecycle.status).toEqual({ state: 'ready', since: 4, generation: 1, protocol: 'p' })
    lifecycle.enter('ready', { state: 'backoff', attempt: 1, delayMs: 9, cause })
    expect(lifecycle.status).toEqual({ state: 'backoff', since: 5, attempt: 1, delayMs: 9, cause })
    expect(Object.isFrozen(lifecycle.status)).toBe(true)
    force('closed')
    expect(lifecycle.status).toEqual({ state: 'closed', since: 6, cause: undefined })
  })

  it('counts a generation for each link that gets as far as bootstrapping', () => {
    const { lifecycle, force } = create()
    expect(lifecycle.generation).toBe(0)
    ;(['connecting', 'backoff', 'connecting', 'bootstrapping'] as const).forEach(force)
    expect(lifecycle.generation).toBe(1)
    ;(['ready', 'backoff', 'connecting', 'bootstrapping'] as const).forEach(force)
    expect(lifecycle.generation).toBe(2)
  })

  it('disposes of what a state owns when the state is left, once, and of nothing earlier', () => {
    const { lifecycle, force } = create()
    const own = vi.fn<() => void>()
    const early = vi.fn<() => void>()
    lifecycle.own(own)
    const release = lifecycle.own(early)
    release()
    release()
    expect(early).toHaveBeenCalledOnce()
    expect(own).not.toHaveBeenCalled()
    force('connecting')
    force('backoff')
    expect(own).toHaveBeenCalledOnce()
    expect(early).toHaveBeenCalledOnce()
  })

  it('keeps what is tied to the new state while the old one is disposed of', () => {
    const { lifecycle, force } = create()
    const own = vi.fn<() => void>()
    lifecycle.own(() => lifecycle.own(own))
    force('connecting')
    expect(own).not.toHaveBeenCalled()
    force('backoff')
    expect(own).toHaveBeenCalledOnce()
  })

  it('is in the new state while the old one is disposed of', () => {
    const { lifecycle, force } = create()
    const seen: StateName[] = []
    lifecycle.own(() => seen.push(lifecycle.state))
    force('connecting')
    expect(seen).toEqual(['connecting'])
  })

  it('reports what a disposer or a listener throws and goes on', () => {
    const errors: unknown[] = []
    const { lifecycle, force } = create({
      onChange: () => {
        throw new Error('listener')
      },
      onError: (error) => errors.push((error as Error).message),
    })
    const after = vi.fn<() => void>()
    lifecycle.own(() => {
      throw new Error('disposer')
    })
    lifecycle.own(after)
    force('connecting')
    force('backoff')
    expect(errors).toEqual(['disposer', 'listener', 'listener'])
    expect(after).toHaveBeenCalledOnce()
    expect(lifecycle.state).toBe('backoff')
  })
})

/** The class of what is thrown, if anything is. */
function thrownBy(run: () => void): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as Error).constructor
  }
}

describe('random walks', () => {
  const steps = array(constantFrom(...STATES), { maxLength: 60 })

  it('never leave the table, whatever is requested', () => {
    assert(
      property(steps, (asked) => {
        const { lifecycle, changes, force } = create()
        for (const next of asked) {
          const expected = lifecycle.can(next) ? undefined : TypeError
          expect(thrownBy(() => force(next))).toBe(expected)
        }
        let state: StateName = 'idle'
        for (const { previous, status } of changes) {
          expect(previous.state).toBe(state)
          expect(TRANSITIONS[state] as readonly StateName[]).toContain(status.state)
          state = status.state
        }
        expect(lifecycle.state).toBe(state)
      }),
    )
  })

  it('are reported in order, after the fact, when listeners and disposers change the state themselves', () => {
    assert(
      property(steps, array(constantFrom(...STATES), { maxLength: 60 }), (asked, inside) => {
        const changes: StatusChange[] = []
        let depth = 0
        const { lifecycle, force } = create({
          onChange: (change) => {
            expect(depth).toBe(0)
            depth += 1
            changes.push(change)
            step(inside.shift())
            depth -= 1
          },
          onError: (error) => {
            throw error
          },
        })
        const step = (next: StateName | undefined): void => {
          if (next === undefined || !lifecycle.can(next)) return
          lifecycle.own(() => step(inside.shift()))
          force(next)
        }
        asked.forEach(step)
        const starts = changes.map((change) => change.previous)
        const ends = changes.map((change) => change.status)
        expect(starts.slice(1)).toEqual(ends.slice(0, -1))
        expect(changes.at(-1)?.status ?? lifecycle.status).toBe(lifecycle.status)
      }),
    )
  })
})
