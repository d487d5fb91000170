import { expect, test } from 'vitest'
import { ModelBus } from './churn-model.ts'

test('live subscriptions must get an event, those that begin or end may, and no others', () => {
  const model = new ModelBus(true)
  model.subscribe({ name: 'stays', bus: 0, patterns: ['a.*', 'a.b'] })
  model.subscribe({ name: 'goes', bus: 0, patterns: ['>'] })
  model.subscribe({ name: 'other', bus: 0, patterns: ['b'] })
  expect(model.live).toEqual([])
  expect(model.settle()).toEqual(new Map())
  expect(model.live).toEqual(['stays', 'goes', 'other'])

  model.unsubscribe('goes')
  model.subscribe({ name: 'comes', bus: 1, patterns: ['a.b'] })
  model.publish(1, 'a.b', 1)
  const gone = model.settle()
  model.publish(1, 'a.b', 2)
  expect([...gone].map(([name, { must, may }]) => [name, must, may])).toEqual([['goes', [], [1]]])
  expect([...model.due].map(([name, { must, may }]) => [name, must, may])).toEqual([
    ['stays', [1, 2], []],
    ['other', [], []],
    ['comes', [2], [1]],
  ])
})

test('a bus gets its own events only with echo', () => {
  const due = [true, false].map((echo) => {
    const model = new ModelBus(echo)
    model.subscribe({ name: 'own', bus: 0, patterns: ['a'] })
    model.settle()
    model.publish(0, 'a', 1)
    return model.due.get('own')?.must
  })
  expect(due).toEqual([[1], []])
})
