/** What is under way when a bus closes: it settles, and leaves nothing. The suite counts timers and sockets afterwards. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import type { Bus } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'

export const nothingLeft: ConformanceCase = {
  id: 'A6',
  level: 'MUST',
  title:
    'after close nothing is left: pending calls settle, handlers are aborted, timers and listeners are gone',
  async run(world) {
    const bus = world.bus({ queue: { capacity: 2, strategy: 'block' } })
    const { signal } = new AbortController()
    const told = await startEndlessHandler(bus, signal)
    const iterator = bus.events('b', { signal })
    const waiting: Promise<unknown>[] = [iterator.next()]
    await world.soon(world.bus().publish('a', 0), 'a publish of another')
    await world.until(() => told.isRunning, 'the handler to run')
    const options = { signal, timeoutMs: 60_000 }
    for (let n = 0; n < 50; n++) waiting.push(bus.publish('a', n, options))
    waiting.push(bus.subscribe('c', () => {}, { signal }))

    const settled = Promise.allSettled(waiting)
    await world.soon(bus.close(), 'to close')
    await world.soon(settled, 'everything that waited to settle')
    assert.equal(told.isAborted, true, 'the handler that runs is told by its signal')
    assert.equal(bus.subscriptions.length, 0)
    assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener is left on the signal')
  },
}

/** Its handler ends only when its signal says so. */
async function startEndlessHandler(
  bus: Bus,
  signal: AbortSignal,
): Promise<{ readonly isRunning: boolean; readonly isAborted: boolean }> {
  const told = { isRunning: false, isAborted: false }
  await bus.subscribe(
    'a',
    (_event, context) =>
      new Promise((resolve) => {
        told.isRunning = true
        context.signal.addEventListener('abort', () => {
          told.isAborted = true
          resolve()
        })
      }),
    { signal, queue: { capacity: 1 } },
  )
  return told
}
