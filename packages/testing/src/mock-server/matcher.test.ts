import { expect, test } from 'vitest'
import { type MockMessage, toMessage } from './mock-connection.ts'
import { describeNearMisses } from './matcher.ts'

function texts(...list: string[]): MockMessage[] {
  return list.map((text) => toMessage(Buffer.from(text), false, 0))
}

function order(description: string): string[] {
  return [...description.matchAll(/#(\d+)/g)].map((found) => found[1] ?? '')
}

test('says when nothing was received', () => {
  expect(describeNearMisses('x', [])).toBe('nothing was received')
})

test('puts the longest common beginning first', () => {
  const description = describeNearMisses('order', texts('xxxxx', 'ordex', 'ordxx'))
  expect(order(description)).toEqual(['1', '2', '0'])
  expect(description).toContain('ordex (differs from character 4)')
})

test('puts the JSON with most equal members first, and no JSON last', () => {
  const received = texts('{"a":1,"b":0}', 'none', '{"a":1,"b":2,"d":4}', '[1]', '{"x":1}')
  const description = describeNearMisses({ a: 1, b: 2, c: 3 }, received)
  expect(order(description)).toEqual(['2', '0', '4', '3', '1'])
  expect(description).toContain('"d":4} (`c` is undefined)')
})

test('puts the latest first where closeness is unknown', () => {
  for (const matcher of [/x/, () => false, ['x']]) {
    expect(order(describeNearMisses(matcher, texts('a', 'b', 'c')))).toEqual(['2', '1', '0'])
  }
})

test('shows bytes as hex, and puts binary before text when bytes were meant', () => {
  const received = [toMessage(Buffer.from([1, 171]), true, 2), ...texts('a')]
  const description = describeNearMisses(new Uint8Array([1]), received)
  expect(order(description)).toEqual(['0', '1'])
  expect(description).toContain('#0 on connection 2: binary 01ab')
})

test('lists five and counts the others', () => {
  const description = describeNearMisses(/x/, texts('a', 'b', 'c', 'd', 'e', 'f', 'g'))
  expect(order(description)).toHaveLength(5)
  expect(description).toMatch(/^7 messages were received/)
  expect(description).toMatch(/and 2 more$/)
})

test('shortens a long message', () => {
  const description = describeNearMisses(/y/, texts('x'.repeat(10_000)))
  expect(description.length).toBeLessThan(400)
  expect(description).toContain('xxx…')
})
