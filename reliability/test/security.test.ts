/** The reference that grants are compared with. */
import { expect, test } from 'vitest'
import { isGranted, isMatch, WORLD } from '../src/security/reference.ts'

test('the world has every type of one to four of its three tokens', () => {
  expect(WORLD).toHaveLength(3 + 9 + 27 + 81)
  expect(new Set(WORLD).size).toBe(WORLD.length)
})

test.each([
  ['a', 'a', true],
  ['a', 'a.b', false],
  ['*', 'z', true],
  ['*', 'a.b', false],
  ['a.>', 'a', false],
  ['a.>', 'a.b.z', true],
  ['>', 'a', true],
])('the pattern %s on the type %s: %s', (pattern, type, matches) => {
  expect(isMatch(pattern, type)).toBe(matches)
})

test.each([
  [['a.*'], 'a.b', true],
  [['a.*'], 'a.>', false],
  [['a.>'], 'a.*.b', true],
  [['a.*'], '>', false],
  [['>'], '*.*', true],
  [[], 'a', false],
  // Two that cover it only together do not: each subscription must lie within one grant.
  [['a', 'b', 'z'], '*', false],
] as const)('the grants %j let %s through: %s', (grants, pattern, granted) => {
  expect(isGranted(grants, pattern)).toBe(granted)
})
