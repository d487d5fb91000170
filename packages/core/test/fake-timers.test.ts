import { expect, test, vi } from 'vitest'
import { useBuses } from '@bus/test-support'

const makeBus = useBuses()

test('fake timers of a test runner hang no publish, no retry and no drain', async () => {
  vi.useFakeTimers()
  try {
    const bus = makeBus()
    let failures = 2
    let done = 0
    await bus.subscribe(
      'a',
      () => {
        if (failures-- > 0) throw new Error('not yet')
        done++
      },
      { errorPolicy: { retry: { attempts: 3, backoff: () => 5 } } },
    )
    // More than the event loop gives a turn for.
    for (let n = 0; n < 600; n++) await bus.publish('a', n)
    await bus.drain({ timeoutMs: 5_000 })
    expect(done).toBe(600)
  } finally {
    vi.useRealTimers()
  }
})
