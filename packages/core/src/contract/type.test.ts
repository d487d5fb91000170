import { describe, expect, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { MAX_TOKENS, MAX_TYPE_BYTES, assertPattern, assertType, isPattern, isType } from './type.ts'

const tokens = (count: number): string => Array.from({ length: count }, () => 'a').join('.')

/** Text, whether it is a type, whether it is a pattern. */
const table: readonly [name: string, text: string, type: boolean, pattern: boolean][] = [
  ['one token', 'order', true, true],
  ['two tokens', 'order.created', true, true],
  ['digits', '1.2.3', true, true],
  ['upper case', 'Order.CREATED', true, true],
  ['underscore and hyphen', 'a_b.c-d', true, true],
  ['only signs that are allowed', '-.__', true, true],
  ['the name of a prototype', '__proto__.constructor', true, true],
  ['the most tokens', tokens(MAX_TOKENS), true, true],
  ['the most bytes', 'a'.repeat(MAX_TYPE_BYTES), true, true],
  ['one star', '*', false, true],
  ['a star in the middle', 'a.*.c', false, true],
  ['a tail', 'a.>', false, true],
  ['only a tail', '>', false, true],
  ['stars and a tail', '*.*.>', false, true],
  ['one token too many', tokens(MAX_TOKENS + 1), false, false],
  ['one byte too many', 'a'.repeat(MAX_TYPE_BYTES + 1), false, false],
  ['a hundred thousand levels', tokens(100_000), false, false],
  ['nothing', '', false, false],
  ['a dot', '.', false, false],
  ['a leading dot', '.a', false, false],
  ['a trailing dot', 'a.', false, false],
  ['two dots', 'a..b', false, false],
  ['a tail in the middle', 'a.>.b', false, false],
  ['a star within a token', 'a*', false, false],
  ['two stars', '**', false, false],
  ['a tail within a token', 'a>', false, false],
  ['a space', 'a b', false, false],
  ['a trailing space', 'order ', false, false],
  ['a slash', 'a/b', false, false],
  ['a line break', 'a\nb', false, false],
  ['a trailing line break', 'order\n', false, false],
  ['a carriage return', 'a\rb', false, false],
  ['a tab', 'a\tb', false, false],
  ['a zero byte', 'a\0b', false, false],
  ['a colour of the terminal', '\u001b[31morder', false, false],
  ['text from right to left', '\u202Eredro', false, false],
  ['a lone surrogate', 'a\ud800', false, false],
  ['an emoji', 'order.😀', false, false],
  ['an umlaut', 'bestellung.geändert', false, false],
  ['a digit that is not ASCII', 'a.١', false, false],
  ['a zero-width space', 'a\u200Bb', false, false],
  ['a byte order mark', '\uFEFForder', false, false],
]

describe.each(table)('%s', (_name, text, type, pattern) => {
  test(`is ${type ? 'a' : 'no'} type and ${pattern ? 'a' : 'no'} pattern`, () => {
    expect(isType(text)).toBe(type)
    expect(isPattern(text)).toBe(pattern)
  })
})

test.each([undefined, null, 5, {}, ['a'], Symbol('a')])(
  'a value that is no text is refused',
  (value) => {
    expect(isType(value)).toBe(false)
    expect(isPattern(value)).toBe(false)
    expect(() => assertType(value)).toThrow(ConfigError)
    expect(() => assertPattern(value)).toThrow(ConfigError)
  },
)

test('a refusal names the value and the accepted form, without its control characters', () => {
  expect(() => assertType('a b')).toThrow(/`type` .*\[A-Za-z0-9_-\].*`a b` \(string\)/)
  expect(() => assertPattern('a.>.b')).toThrow(/`pattern` .*`a\.>\.b` \(string\)/)
  expect(() => assertType('\u001b[31m')).toThrow(/`\uFFFD\[31m`/)
})

test('a refusal of a very long text stays short', () => {
  expect(() => assertType(tokens(100_000))).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,300}$/) }),
  )
})
