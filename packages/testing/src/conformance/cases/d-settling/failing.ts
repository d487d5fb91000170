/** Cases about handlers that fail: retries, dead letters, and what continues meanwhile. */
import assert from 'node:assert/strict'
import type { Event } from '@bus/core'
import { numbers, publishAll } from '../../case-tools/publishing.ts'
import type { ConformanceCase } from '../../case.ts'

const NO_WAIT = { backoff: () => 0 }

export const retriesThenDeadLetters: ConformanceCase = {
  id: 'D3',
  level: 'MUST',
  title:
    'attempts are counted 1, 2, 3 and bounded; then the event is a dead letter, as it was, with the reason',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const attempts: Record<string, number[]> = { bad: [], good: [] }
    await world.soon(
      receiver.subscribe(
        'a',
        ({ payload }, { attempt }) => {
          const { name } = payload as { name: string }
          attempts[name]?.push(attempt)
          if (name === 'bad') throw new Error('never')
        },
        { errorPolicy: { strategy: 'retry', retry: { attempts: 3, ...NO_WAIT } } },
      ),
      'to be subscribed',
    )
    const metadata = { id: 'bad-1', timestamp: 1_700_000_000_000, source: 'shop' }
    await world.soon(sender.publish('a', { name: 'bad' }, { metadata }), 'a publish')
    await world.soon(sender.publish('a', { name: 'good' }), 'a publish')
    const isOver = (): boolean => receiver.deadLetters?.size === 1 && attempts['good']?.length === 1
    await world.until(isOver, 'a dead letter, and the next event', () => attempts)
    await world.quiet()
    assert.deepEqual(attempts, { bad: [1, 2, 3], good: [1] })
    const { id, ...rest } = metadata
    const letters = receiver.deadLetters?.list().map(({ reason, direction, ...letter }) => ({
      reason,
      direction,
      attempts: letter.attempts,
      error: letter.error.message,
      event: letter.event,
    }))
    assert.deepEqual(letters, [
      {
        reason: 'handler',
        direction: 'inbound',
        attempts: 3,
        error: 'never',
        event: { id, type: 'a', payload: { name: 'bad' }, metadata: rest },
      },
    ])
  },
}

export const poison: ConformanceCase = {
  id: 'D9',
  level: 'MUST',
  title: 'an event that always fails delays nothing but its own key',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const handled: number[] = []
    let tries = 0
    const keyOf = ({ payload }: Event): string => (payload === 0 ? 'poison' : 'sound')
    await world.soon(
      receiver.subscribe(
        'a',
        ({ payload }) => {
          if (payload === 0) {
            tries++
            throw new Error('poison')
          }
          handled.push(payload as number)
        },
        {
          concurrency: 2,
          orderBy: keyOf,
          errorPolicy: { strategy: 'retry', retry: { attempts: 1_000_001, backoff: () => 5 } },
        },
      ),
      'to be subscribed',
    )
    const other = await world.collect(receiver, 'a')
    await publishAll(world, sender, 'a', numbers(50))
    await world.until(() => handled.length >= 49, 'the others to be handled')
    assert.ok(tries > 0, 'the poison was tried')
    const before = tries
    await world.until(() => tries > before, 'the poison to be tried on')
    await other.gets(numbers(50))
    assert.deepEqual(
      handled.toSorted((a, b) => a - b),
      numbers(49, 1),
    )
  },
}

/** Everything that a handler can fail with. */
const FAILURES: Readonly<Record<string, () => void | Promise<void>>> = {
  'an error': () => {
    throw new Error('thrown')
  },
  undefined: () => {
    // oxlint-disable-next-line typescript/only-throw-error
    throw undefined
  },
  'a rejection': () => Promise.reject(new Error('rejected')),
  'a rejection with null': () => Promise.reject(null),
}

export const survivesFailures: ConformanceCase = {
  id: 'D10',
  level: 'MUST',
  title:
    'a handler that throws, rejects or throws undefined is reported once, and its subscription goes on',
  async run(world) {
    const reported: string[] = []
    const receiver = world.bus({
      onError: (error, kind) => void reported.push(`${kind} ${error.name}`),
    })
    const sender = world.bus()
    const seen: unknown[] = []
    await world.soon(
      receiver.subscribe('a', ({ payload }) => {
        seen.push(payload)
        return FAILURES[payload as string]?.()
      }),
      'to be subscribed',
    )
    const neighbour = await world.collect(receiver, 'a')
    const payloads = Object.keys(FAILURES).flatMap((failure) => [failure, 'fine'])
    await publishAll(world, sender, 'a', payloads)
    await neighbour.gets(payloads)
    assert.equal(seen.length, payloads.length, 'it goes on after each failure')
    assert.equal(reported.length, Object.keys(FAILURES).length, 'each is reported once')
    assert.ok(
      reported.every((one) => one.startsWith('handler ')),
      'as a failure of a handler',
    )
    assert.equal(receiver.deadLetters?.size, Object.keys(FAILURES).length)
  },
}
