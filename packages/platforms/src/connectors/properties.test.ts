import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '@bus/core'
import { property, readProperties, type Properties, type Property } from './properties.ts'

const shape = {
  'a.url': property.required(property.text()),
  'a.delay': property.withDefault(property.duration(), 1_000),
  'a.attempts': property.integer({ min: -1 }),
  'a.headers.*': property.text(),
  'a.reconnect': property.boolean(),
}

const read = (properties: Properties): ReturnType<typeof readProperties<typeof shape>> =>
  readProperties({ 'a.url': 'u', ...properties }, shape)

/** What one property makes of a text. */
const one = <T>(expected: Property<T>, text: string): T =>
  readProperties({ size: text }, { size: expected }).size

describe('flat properties', () => {
  test('become values, with the defaults of what is not given', () => {
    expect(read({})).toEqual({
      'a.url': 'u',
      'a.delay': 1_000,
      'a.attempts': undefined,
      'a.headers.*': {},
      'a.reconnect': undefined,
    })
    expect(read({ 'a.delay': '2s', 'a.attempts': '-1', 'a.reconnect': 'FALSE' })).toMatchObject({
      'a.delay': 2_000,
      'a.attempts': -1,
      'a.reconnect': false,
    })
  })

  test('of a group lose its prefix, and those of another prefix do not get in', () => {
    const values = readProperties(
      { 'a.headers.Authorization': 'x', 'a.headers.a.b': 'y', 'b.headers.Other': 'z' },
      { 'a.headers.*': property.text(), 'b.headers.*': property.text() },
    )
    expect(values['a.headers.*']).toEqual({ Authorization: 'x', 'a.b': 'y' })
    expect(values['b.headers.*']).toEqual({ Other: 'z' })
  })

  test('that have a key of their own are not also in the group', () => {
    const values = readProperties(
      { 'g.size': '3', 'g.rest': 'r' },
      { 'g.size': property.integer(), 'g.*': property.text() },
    )
    expect(values).toEqual({ 'g.size': 3, 'g.*': { rest: 'r' } })
  })

  test('named like parts of an object stay names', () => {
    const values = readProperties(
      JSON.parse('{"g.__proto__":"x","g.constructor":"y"}') as Properties,
      {
        'g.*': property.text(),
      },
    )
    expect(Object.entries(values['g.*'])).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(Object.getPrototypeOf(values['g.*'])).toBe(Object.prototype)
  })

  test.each([
    ['a.dleay', 'a.delay'],
    ['a.header.Accept', 'a.headers.*'],
    ['a.URL', 'a.url'],
    ['a.headers', 'a.headers.*'],
    ['a.headers.', 'a.headers.*'],
  ])('with the unknown key %s are refused, and the nearest known one is named', (key, near) => {
    expect(() => read({ [key]: 'x' })).toThrow(
      new ConfigError(key, `Unknown property \`${key}\`: did you mean \`${near}\`?`),
    )
  })

  test('with a key that is near to none are refused with all that are known', () => {
    expect(() => read({ somethingElse: 'x' })).toThrow(
      /known are a\.url, a\.delay, .*a\.headers\.\*/,
    )
  })

  test('without one that is required are refused by its name', () => {
    expect(() => readProperties({}, shape)).toThrow('Expected `a.url` to be given')
  })

  test.each([1, true, null, {}])('with the value %j, which is no text, are refused', (value) => {
    expect(() => read({ 'a.attempts': value as unknown as string })).toThrow(
      /`a\.attempts` to be a string/,
    )
  })

  test.each([null, [], 'a=b'])('that are %j are refused', (properties) => {
    expect(() => readProperties(properties as unknown as Properties, shape)).toThrow(ConfigError)
  })

  test('that are undefined count as absent', () => {
    const absent = { 'a.delay': undefined, 'a.headers.x': undefined }
    expect(read(absent)).toEqual(read({}))
  })

  test('show no secret in what is said of them', () => {
    const secrets = { 'a.headers.*': property.integer() }
    const reading = (): unknown => readProperties({ 'a.headers.X': 's3cret' }, secrets)
    expect(reading).toThrow('[redacted]')
    expect(reading).not.toThrow('s3cret')
  })

  test('are only read', () => {
    const given = Object.freeze({ 'a.url': 'u', 'a.delay': '1s' })
    expect(Object.isFrozen(readProperties(given, shape))).toBe(true)
  })
})

describe('a duration', () => {
  test.each([
    ['100ms', 100],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1.5 s', 1_500],
    ['250', 250],
    [' 3S ', 3_000],
    ['0', 0],
  ])('may be %s', (text, ms) => {
    expect(one(property.duration(), text)).toBe(ms)
  })

  test.each(['', ' ', 'abc', '5 parsecs', '-5', '-1s', '1e3', 'Infinity', 'NaN', '1s2', '999999h'])(
    'may not be %j, and the error names the key and the value',
    (text) => {
      expect(() => one(property.duration(), text)).toThrow(
        `Expected \`size\` to be a duration such as 100ms, 5s or 2m, got \`${text}\` (string)`,
      )
    },
  )

  test('has the smallest value that is said', () => {
    expect(one(property.duration({ min: 10 }), '10')).toBe(10)
    expect(() => one(property.duration({ min: 10 }), '9ms')).toThrow(/at least 10ms/)
  })

  test('of any whole number and unit is that many milliseconds', () => {
    const units = { ms: 1, s: 1_000, m: 60_000 }
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000 }),
        fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])),
        (n, unit) => one(property.duration(), `${n}${unit}`) === n * units[unit],
      ),
    )
  })
})

describe('other values', () => {
  test.each([
    ['7', 7],
    ['-1', -1],
    ['+3', 3],
  ])('an integer may be %s', (text, value) => {
    expect(one(property.integer(), text)).toBe(value)
  })

  test.each(['', 'many', '1.5', '0x10', '1e2', '99999999999999999999'])(
    'an integer may not be %j',
    (text) => {
      expect(() => one(property.integer(), text)).toThrow(/`size` to be an integer/)
    },
  )

  test('an integer keeps within its bounds', () => {
    expect(() => one(property.integer({ min: -1 }), '-2')).toThrow(
      'to be an integer ≥ -1, got `-2`',
    )
    expect(() => one(property.integer({ max: 5 }), '6')).toThrow(/≤ 5/)
  })

  test('a number may have a fraction', () => {
    expect(one(property.number({ min: 1 }), '1.5')).toBe(1.5)
    for (const text of ['0.9', 'x', '', '1.']) {
      expect(() => one(property.number({ min: 1 }), text)).toThrow(/to be a number ≥ 1/)
    }
  })

  test('true and false are known in any case, and nothing else', () => {
    expect([one(property.boolean(), 'True'), one(property.boolean(), 'false')]).toEqual([
      true,
      false,
    ])
    for (const text of ['', 'yes', '1']) {
      expect(() => one(property.boolean(), text)).toThrow(/to be true or false/)
    }
  })

  test('a word is known in any case, and others are refused with those that are', () => {
    const words = property.choice(['text', 'binary'])
    expect(one(words, 'BINARY')).toBe('binary')
    expect(() => one(words, 'xml')).toThrow('to be one of text, binary, got `xml`')
  })

  test('text keeps its spaces, and is not empty', () => {
    expect(one(property.text(), ' a ')).toBe(' a ')
    expect(() => one(property.text(), '')).toThrow('Expected `size` not to be empty')
  })
})
