import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { PatternIndex, matches } from './pattern-index.ts'

/** The rules once more, token by token: what index and `matches` are compared with. */
function oracle(pattern: readonly string[], type: readonly string[]): boolean {
  const [want, ...wants] = pattern
  const [token, ...tokens] = type
  if (want === undefined || token === undefined) return want === token
  if (want === '>') return true
  return (want === '*' || want === token) && oracle(wants, tokens)
}

const cases: readonly [pattern: string, type: string, expected: boolean][] = [
  ['order.created', 'order.created', true],
  ['order.created', 'order.cancelled', false],
  ['order.created', 'order', false],
  ['order.created', 'order.created.eu', false],
  ['order.created', 'Order.created', false],
  ['order.*', 'order.created', true],
  ['order.*', 'order', false],
  ['order.*', 'order.created.eu', false],
  ['*.created', 'order.created', true],
  ['*', 'order', true],
  ['*', 'order.created', false],
  ['order.>', 'order.created', true],
  ['order.>', 'order.created.eu.fr', true],
  ['order.>', 'order', false],
  ['>', 'order', true],
  ['>', 'order.created.eu', true],
  ['*.>', 'order', false],
  ['*.>', 'order.created', true],
  ['order.*.eu', 'order.created.eu', true],
  ['order.*.eu', 'order.eu', false],
]

test.each(cases)('the pattern %s on the type %s: %s', (pattern, type, expected) => {
  const index = new PatternIndex<string>()
  index.add(pattern, 'value')
  expect(index.match(type)).toEqual(expected ? ['value'] : [])
  expect(matches(pattern, type)).toBe(expected)
})

test('a value with several matching patterns is given once, in the order of its first add', () => {
  const index = new PatternIndex<string>()
  index.add('a.>', 'first')
  index.add('*.*', 'second')
  index.add('a.b', 'third')
  index.add('a.b', 'first')
  expect(index.match('a.b')).toEqual(['first', 'second', 'third'])
  expect(index.size).toBe(4)
  index.delete('a.>', 'first')
  expect(index.match('a.b')).toEqual(['first', 'second', 'third'])
  index.delete('a.b', 'first')
  index.add('a.b', 'first')
  expect(index.match('a.b')).toEqual(['second', 'third', 'first'])
})

test('the same pair is held once', () => {
  const index = new PatternIndex<string>()
  index.add('a.*', 'value')
  index.add('a.*', 'value')
  expect(index.size).toBe(1)
  expect(index.delete('a.*', 'value')).toBe(true)
  expect(index.delete('a.*', 'value')).toBe(false)
  expect(index.match('a.b')).toEqual([])
  expect(index.size).toBe(0)
})

test('a match is remembered until something changes, and cannot be changed by who gets it', () => {
  const index = new PatternIndex<string>()
  index.add('a', 'value')
  const first = index.match('a')
  expect(index.match('a')).toBe(first)
  expect(Object.isFrozen(first)).toBe(true)
  index.add('>', 'other')
  expect(index.match('a')).toEqual(['value', 'other'])
})

test('a value that was deleted is not found by a type that was matched before', () => {
  const index = new PatternIndex<string>()
  index.add('a.*', 'value')
  index.add('a.>', 'other')
  expect(index.match('a.b')).toEqual(['value', 'other'])
  index.delete('a.*', 'value')
  expect(index.match('a.b')).toEqual(['other'])
})

test('more types than are remembered still match right', () => {
  const index = new PatternIndex<string>()
  index.add('t.*', 'value')
  const first = index.match('t.0')
  for (let i = 0; i < 10_000; i++) expect(index.match(`t.${i}`)).toEqual(['value'])
  const again = index.match('t.0')
  expect(again).toEqual(first)
  expect(again).not.toBe(first)
})

test('names of object members are ordinary tokens', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
  const index = new PatternIndex<string>()
  for (const name of names) expect(index.match(name)).toEqual([])
  for (const name of names) index.add(`${name}.*`, name)
  for (const name of names) expect(index.match(`${name}.__proto__`)).toEqual([name])
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

test('types and patterns outside the grammar never reach the trie', () => {
  const index = new PatternIndex<string>()
  index.add('>', 'all')
  const deep = Array.from({ length: 100_000 }, () => 'a').join('.')
  expect(index.match(deep)).toEqual([])
  expect(index.match('')).toEqual([])
  expect(index.match('a.*')).toEqual([])
  expect(index.match('>')).toEqual([])
  expect(matches('>', deep)).toBe(false)
  for (const bad of [deep, '', '.', 'a..b', 'a.>.b', 'a*', '**', 'a b']) {
    expect(() => index.add(bad, 'value')).toThrow(ConfigError)
    expect(() => matches(bad, 'a')).toThrow(ConfigError)
    expect(index.delete(bad, 'value')).toBe(false)
  }
  expect(index.size).toBe(1)
})

const token = fc.constantFrom('a', 'b', 'c', '__proto__')
const type = fc.array(token, { minLength: 1, maxLength: 5 })
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => (rest ? [...tokens, '>'] : tokens))

test('any pattern matches the types that a token-by-token comparison says', () => {
  fc.assert(
    fc.property(pattern, type, (wanted, tokens) => {
      expect(matches(wanted.join('.'), tokens.join('.'))).toBe(oracle(wanted, tokens))
    }),
  )
})

test('any history of adds and deletes matches what a plain list of pairs would', () => {
  const change = fc.record({ add: fc.boolean(), pattern, value: fc.nat(4), type })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const index = new PatternIndex<number>()
      const pairs = new Map<
        string,
        { readonly pattern: readonly string[]; readonly value: number }
      >()
      const since: number[] = []
      for (const step of changes) {
        const text = step.pattern.join('.')
        const key = `${text} ${step.value}`
        if (step.add) {
          index.add(text, step.value)
          pairs.set(key, step)
          if (!since.includes(step.value)) since.push(step.value)
        } else {
          const found = index.delete(text, step.value) === pairs.delete(key)
          if (!found) throw new Error(`delete of ${key} does not say whether it was there`)
          const left = [...pairs.values()].some((pair) => pair.value === step.value)
          if (!left && since.includes(step.value)) since.splice(since.indexOf(step.value), 1)
        }
        const hits = [...pairs.values()].filter((pair) => oracle(pair.pattern, step.type))
        const expected = since.filter((value) => hits.some((pair) => pair.value === value))
        expect(index.match(step.type.join('.'))).toEqual(expected)
        expect(index.size).toBe(pairs.size)
      }
    }),
  )
})

test('what it remembers is bounded, also where every type matches many values', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const index = new PatternIndex<number>()
  const values = Array.from({ length: 1_000 }, (_, value) => value)
  for (const value of values) index.add('user.>', value)
  gc()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 2_000; n++) expect(index.match(`user.${n}`)).toHaveLength(values.length)
  gc()
  // All of them would be 16 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(6_000_000)
  expect(index.match('user.1')).toEqual(values)
})
