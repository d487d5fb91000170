import { isType } from '@bus/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameOfType, typeOfName } from './channel-names.ts'

const character = fc.constantFrom(
  'a',
  'Z',
  '0',
  '-',
  '_',
  '.',
  ':',
  '/',
  '@',
  ' ',
  'é',
  '€',
  '😀',
  '4',
  'f',
)

test('every name has a type of its own, from which it comes back', () => {
  fc.assert(
    fc.property(fc.array(character, { minLength: 1, maxLength: 15 }), (characters) => {
      const name = characters.join('')
      const type = typeOfName(name)
      expect(isType(type)).toBe(true)
      expect(nameOfType(type)).toBe(name)
    }),
    { numRuns: 3_000 },
  )
})

test('names that are types without `_` stay as they are, and those of exchanges can be read', () => {
  expect(typeOfName('order.created')).toBe('order.created')
  expect(typeOfName('btcusdt@trade')).toBe('btcusdt_40trade')
  expect(typeOfName('order_book.BTC')).toBe('order_5fbook.BTC')
  expect(typeOfName('..')).toBe('_2e_2e')
})

test.each(['', 'x'.repeat(256), '\ud800', Array.from({ length: 17 }, () => 'a').join('.'), 7])(
  'a name that makes no type is refused: %s',
  (name) => {
    expect(() => typeOfName(name as string)).toThrow(expect.objectContaining({ code: 'config' }))
  },
)

test.each(['a_zz', 'a_', 'a b', '_41', 'a_2eb', '_c3'])(
  'a type of no name is refused: %s',
  (type) => {
    expect(() => nameOfType(type)).toThrow(expect.objectContaining({ code: 'config' }))
  },
)
