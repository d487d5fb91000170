import { expect, test } from 'vitest'
import { SimulatedClock, listenersOf, stateOf } from '@bus/test-support'
import { WaitingLine } from './waiting-line.ts'
import { NoConnectionsError } from './no-connections-error.ts'

const line = (limit = 10, clock = new SimulatedClock()) => ({
  clock,
  waiting: new WaitingLine(limit, clock),
})

test('lets all go at once, in order, and the next wait for the next time', async () => {
  const { waiting, clock } = line()
  const order: number[] = []
  const waits = [1, 2].map(async (n) => {
    await waiting.wait({ timeoutMs: 100 })
    order.push(n)
  })
  waiting.open()
  await Promise.all(waits)
  expect([order, clock.pending]).toEqual([[1, 2], 0])
  expect(await stateOf(waiting.wait({ timeoutMs: Infinity }))).toBe('pending')
})

test('ends a wait by its time, its signal or a refusal, with nothing left behind', async () => {
  const { waiting, clock } = line()
  const control = new AbortController()
  const { signal } = control
  const late = waiting.wait({ timeoutMs: 5, signal })
  clock.advance(5)
  await expect(late).rejects.toMatchObject({ code: 'timeout', outcome: 'not-sent' })
  const refused = waiting.wait({ timeoutMs: 5, signal })
  waiting.refuse(new NoConnectionsError('none'))
  await expect(refused).rejects.toMatchObject({ code: 'no-connections' })
  const aborted = waiting.wait({ timeoutMs: 5, signal })
  control.abort(new Error('why'))
  await expect(aborted).rejects.toMatchObject({ code: 'aborted', cause: { message: 'why' } })
  await expect(waiting.wait({ timeoutMs: 5, signal })).rejects.toMatchObject({ code: 'aborted' })
  expect([clock.pending, listenersOf(signal)]).toEqual([0, 0])
})

test('is bounded', async () => {
  const { waiting } = line(1)
  const first = waiting.wait({ timeoutMs: Infinity })
  await expect(waiting.wait({ timeoutMs: Infinity })).rejects.toMatchObject({ code: 'queue-full' })
  waiting.open()
  await first
})
