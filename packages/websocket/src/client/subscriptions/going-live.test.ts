import { getEventListeners } from 'node:events'
import { AbortedError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { GoingLive } from './server-subscriptions.ts'
import type { RegistryEntry } from './registry.ts'

function newEntry(): RegistryEntry {
  const sink = { deliver: () => true }
  return { patterns: ['a'], sink, settles: true, mustSettle: false, isHeld: false, unread: [] }
}

const never = (): void => expect.unreachable('nobody aborts')

describe('a subscription that goes live', () => {
  test('resolves when it is, and leaves nothing', async () => {
    const goingLive = new GoingLive()
    const [entry, { signal }] = [newEntry(), new AbortController()]
    const live = goingLive.wait(entry, signal, never)
    expect([...goingLive.entries()]).toEqual([entry])
    goingLive.done(entry)
    await expect(live).resolves.toBeUndefined()
    expect([goingLive.has(entry), getEventListeners(signal, 'abort')]).toEqual([false, []])
  })

  test('rejects with why it is not to be', async () => {
    const goingLive = new GoingLive()
    const [entry, { signal }] = [newEntry(), new AbortController()]
    const live = goingLive.wait(entry, signal, never)
    goingLive.fail(entry, new Error('refused'))
    goingLive.done(entry)
    await expect(live).rejects.toThrow('refused')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('ends with its signal, and says so after that', async () => {
    const goingLive = new GoingLive()
    const [entry, control] = [newEntry(), new AbortController()]
    const told: boolean[] = []
    const live = goingLive.wait(entry, control.signal, () => told.push(goingLive.has(entry)))
    control.abort(new Error('why'))
    const error = await live.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AbortedError)
    expect(error).toMatchObject({ cause: { message: 'why' } })
    expect(told).toEqual([false])
  })

  test('rejects with all others when nothing goes live any more', async () => {
    const goingLive = new GoingLive()
    const waits = [newEntry(), newEntry()].map((entry) => goingLive.wait(entry, undefined, never))
    goingLive.failAll(new Error('closed'))
    const results = await Promise.allSettled(waits)
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([...goingLive.entries()]).toEqual([])
  })

  test('is not ended by the wait of another owner that it replaces', async () => {
    const goingLive = new GoingLive()
    const [entry, control] = [newEntry(), new AbortController()]
    const first = goingLive.wait(entry, control.signal, () => {})
    const second = goingLive.wait(entry, undefined, never)
    control.abort()
    await expect(first).rejects.toThrow(AbortedError)
    goingLive.done(entry)
    await expect(second).resolves.toBeUndefined()
  })
})
