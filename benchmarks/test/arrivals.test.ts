import { expect, test } from 'vitest'
import { Arrivals } from '../src/workload/arrivals.ts'
import { githubDeliveries } from '../src/workload/github.ts'
import { orders } from '../src/workload/orders.ts'
import { receiveJson, toJson } from '../src/workload/wire-event.ts'

const arrive = (arrivals: Arrivals, ...sequences: number[]): void => {
  for (const sequence of sequences) arrivals.take(orders.message(sequence).payload, sequence)
}

test('accepts all events in order', () => {
  const arrivals = new Arrivals(orders)
  arrive(arrivals, 1, 2, 3)
  expect(() => arrivals.assertComplete(3)).not.toThrow()
})

test.each([
  ['an event that is missing', [1, 3], 'Of 3 events 2 arrived, 1 out of order'],
  ['a duplicate', [1, 2, 2, 3], 'Of 3 events 4 arrived, 1 out of order'],
  ['another order', [1, 3, 2], 'Of 3 events 3 arrived, 2 out of order'],
])('refuses %s', (_, sequences, message) => {
  const arrivals = new Arrivals(orders)
  arrive(arrivals, ...sequences)
  expect(() => arrivals.assertComplete(3)).toThrow(message)
})

test('refuses payloads of other events', () => {
  const arrivals = new Arrivals(orders)
  arrivals.take(orders.message(7).payload, 1)
  expect(() => arrivals.assertComplete(1)).toThrow('wrong payloads')
})

test('an order takes 290 bytes', () => {
  expect(Math.abs(toJson(orders.message(100_000)).length - orders.meanBytes)).toBeLessThan(4)
})

test('every GitHub delivery can be carried and read', () => {
  const github = githubDeliveries()
  const arrivals = new Arrivals(github)
  for (let sequence = 1; sequence <= 500; sequence++) {
    receiveJson(toJson(github.message(sequence)), arrivals.take)
  }
  arrivals.assertComplete(500)
  expect(github.meanBytes).toBeGreaterThan(5_000)
})
