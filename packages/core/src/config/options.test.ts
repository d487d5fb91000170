import { assert, anything, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runInNewContext } from 'node:vm'
import { ConfigError } from '../contract/errors.ts'
import { check } from './checks.ts'
import { checkOptions, type Check, type Shape } from './options.ts'

interface Nested {
  readonly maxAttempts?: number
}

interface Options {
  readonly url: string
  readonly capacity?: number
  readonly reconnect?: false | Nested
}

/** As in a test runner that gives each file a realm of its own: the class of its signals is another one. */
const foreignSignal: unknown = runInNewContext(
  '({ aborted: false, addEventListener() {}, removeEventListener() {} })',
)

const shape: Shape<Options> = {
  url: check.required(check.string({ nonEmpty: true })),
  capacity: check.integer({ min: 1 }),
  reconnect: check.falseOr(
    check.object<Nested>({ maxAttempts: check.integer({ min: 0, allowInfinity: true }) }),
  ),
}

function refusal(run: () => void): ConfigError {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('was accepted')
}

const refused = (value: unknown, path = ''): ConfigError =>
  refusal(() => checkOptions<Options>(path, value, shape))

describe('checkOptions', () => {
  test.each([
    [{ url: 'ws://a' }],
    [{ url: 'ws://a', capacity: 1, reconnect: false }],
    [{ url: 'ws://a', capacity: undefined, reconnect: { maxAttempts: Infinity } }],
  ])('accepts %o', (value) => {
    expect(() => checkOptions<Options>('', value, shape)).not.toThrow()
  })

  test.each<[string, unknown, string]>([
    [
      'capacity',
      { url: 'a', capacity: 0 },
      'Expected `capacity` to be an integer ≥ 1, got `0` (number)',
    ],
    [
      'capacity',
      { url: 'a', capacity: '5' },
      'Expected `capacity` to be an integer ≥ 1, got `5` (string)',
    ],
    [
      'capacity',
      { url: 'a', capacity: null },
      'Expected `capacity` to be an integer ≥ 1, got `null` (null)',
    ],
    ['url', {}, 'Expected `url` to be a non-empty string, got `undefined` (undefined)'],
    ['url', undefined, 'Expected `url` to be a non-empty string, got `undefined` (undefined)'],
    [
      'reconnect',
      { url: 'a', reconnect: true },
      'Expected `reconnect` to be false or the options of it, got `true` (boolean)',
    ],
    [
      'reconnect.maxAttempts',
      { url: 'a', reconnect: { maxAttempts: -1 } },
      'Expected `reconnect.maxAttempts` to be an integer ≥ 0 or Infinity, got `-1` (number)',
    ],
    ['options', null, 'Expected `options` to be an object, got `null` (null)'],
    ['options', [], 'Expected `options` to be an object, got `[…]` (array)'],
    ['options', new Map(), 'Expected `options` to be an object, got `{…}` (object)'],
    ['options', Promise.resolve({}), 'Expected `options` to be an object, got `{…}` (object)'],
    ['options', 'ws', 'Expected `options` to be an object, got `ws` (string)'],
  ])('refuses by the name %s: %o', (path, value, message) => {
    expect(refused(value)).toMatchObject({ path, message, code: 'config' })
  })

  test('a name that is not known is refused with the nearest that is', () => {
    expect(refused({ url: 'a', capcity: 1 })).toMatchObject({
      path: 'capcity',
      message: 'Unknown option `capcity`: did you mean `capacity`?',
    })
    expect(refused({ url: 'a', Capacity: 1 }).message).toContain('did you mean `capacity`')
    expect(refused({ url: 'a', reconnect: { maxAtempts: 1 } })).toMatchObject({
      path: 'reconnect.maxAtempts',
      message: 'Unknown option `reconnect.maxAtempts`: did you mean `maxAttempts`?',
    })
  })

  test('a name that is near to none is refused with all that are known', () => {
    const { message } = refused({ url: 'a', somethingElse: 1 })
    expect(message).toBe('Unknown option `somethingElse`: known are url, capacity, reconnect')
    expect(refused({ url: 'a', ['x'.repeat(10_000)]: 1 }).message.length).toBeLessThan(250)
  })

  test('names that every object inherits are not taken for known ones', () => {
    for (const name of ['toString', '__proto__', 'constructor']) {
      const value: unknown = JSON.parse(`{"url":"a","${name}":1}`)
      expect(refused(value).path).toBe(name)
    }
  })

  test('a name cannot forge a line of a log', () => {
    expect(refused({ url: 'a', 'x\n\u001b[31m\u202e': 1 }).message).not.toMatch(/\p{Cc}|\p{Cf}/u)
  })

  test('the path of what the options are part of stands before each name', () => {
    expect(refused({ url: '' }, 'transport').path).toBe('transport.url')
    expect(refused(5, 'transport').path).toBe('transport')
  })

  test('the caller’s object is only read', () => {
    const value = Object.freeze({ url: 'a', reconnect: Object.freeze({ maxAttempts: 1 }) })
    expect(() => checkOptions<Options>('', value, shape)).not.toThrow()
  })

  test('whatever is given, it is accepted or refused with a ConfigError', () => {
    assert(
      property(anything(), (value) => {
        try {
          checkOptions<Options>('', value, shape)
          return true
        } catch (error) {
          return error instanceof ConfigError
        }
      }),
    )
  })

  test('a shape names each option of its interface, and no other', () => {
    const checks = { url: check.string(), capacity: check.integer() }
    // @ts-expect-error reconnect has no check
    const short: Shape<Options> = checks
    // @ts-expect-error there is no such option
    const long: Shape<Nested> = { maxAttempts: check.integer(), more: check.integer() }
    expect([Object.keys(short), Object.keys(long)]).toEqual([
      ['url', 'capacity'],
      ['maxAttempts', 'more'],
    ])
  })
})

class Thing {
  readonly kind = 'thing'
}

describe('checks', () => {
  test.each<[string, Check, readonly unknown[], readonly unknown[], string]>([
    [
      'integer',
      check.integer(),
      [0, -3, 2 ** 53 - 1],
      [1.5, Number.NaN, Infinity, '1', 2 ** 53, 1n],
      'an integer',
    ],
    [
      'integer in a range',
      check.integer({ min: 1, max: 3 }),
      [1, 3],
      [0, 4, Infinity],
      'an integer in [1, 3]',
    ],
    ['integer up to', check.integer({ max: 3 }), [-9, 3], [4], 'an integer ≤ 3'],
    [
      'integer or Infinity',
      check.integer({ min: 1, allowInfinity: true }),
      [1, Infinity],
      [0, -Infinity, Number.NaN],
      'an integer ≥ 1 or Infinity',
    ],
    ['number', check.number(), [0.5, -1e300], [Infinity, Number.NaN, '1'], 'a finite number'],
    [
      'number in a half-open range',
      check.number({ min: 0, max: 1, exclusiveMin: true }),
      [0.1, 1],
      [0, 1.1, -1],
      'a finite number in (0, 1]',
    ],
    [
      'number above',
      check.number({ min: 0, exclusiveMin: true }),
      [0.1],
      [0],
      'a finite number > 0',
    ],
    [
      'duration',
      check.durationMs(),
      [0, 0.5, 2 ** 31 - 1],
      [-1, 2 ** 31, Infinity, Number.NaN, '5'],
      'milliseconds in [0, 2147483647]',
    ],
    [
      'long duration',
      check.durationMs({ min: 1, allowLong: true }),
      [1, 2 ** 40],
      [0, Infinity],
      'milliseconds ≥ 1',
    ],
    [
      'duration or Infinity',
      check.durationMs({ allowInfinity: true }),
      [5, Infinity],
      [-Infinity, 2 ** 31],
      'milliseconds in [0, 2147483647] or Infinity',
    ],
    ['boolean', check.boolean, [true, false], [0, 'true', null], 'true or false'],
    ['function', check.func, [() => 1, Thing], [{}, null], 'a function'],
    ['string', check.string(), ['', 'a'], [5, null, ['a']], 'a string'],
    ['non-empty string', check.string({ nonEmpty: true }), ['a'], [''], 'a non-empty string'],
    ['choice', check.oneOf(['a', 'b', 3]), ['a', 3], ['c', '3', null], "one of 'a', 'b', 3"],
    [
      'abortSignal',
      check.abortSignal,
      [new AbortController().signal, foreignSignal],
      [{}, null, { aborted: true }],
      'an AbortSignal',
    ],
    [
      'port',
      check.withMethods('now', 'stop'),
      [{ now() {}, stop() {} }],
      [{ now() {} }, null, 5],
      'an object with now(), stop()',
    ],
    ['check of one’s own', check.where('to be even', (v) => Number(v) % 2 === 0), [2], [3], 'even'],
    ['array', check.arrayOf(check.integer()), [[], [1, 2]], [5, { length: 1 }], 'an array'],
    [
      'record',
      check.recordOf(check.string()),
      [{}, { a: 'b' }],
      [[], null, new Map()],
      'an object',
    ],
    ['false or', check.falseOr(check.integer()), [false, 5], [0.5], 'an integer'],
  ])('%s', (_name, accepts, accepted, refusedValues, form) => {
    for (const value of accepted) expect(() => accepts('x', value)).not.toThrow()
    for (const value of refusedValues) {
      const { message, path } = refusal(() => accepts('x', value))
      expect(path).toBe('x')
      expect(message).toContain(`Expected \`x\` to be ${form}, got `)
    }
  })

  test('an item of an array and a member of a record are named by their place', () => {
    expect(refusal(() => check.arrayOf(check.integer())('xs', [1, 'a'])).path).toBe('xs[1]')
    expect(refusal(() => check.recordOf(check.string())('map', { ok: 'a', bad: 1 })).path).toBe(
      'map.bad',
    )
  })

  test('the value of a header or a secret is not quoted', () => {
    const { message } = refusal(() =>
      check.recordOf(check.integer())('headers', { 'x-tenant': 'canary' }),
    )
    expect(message).toBe('Expected `headers.x-tenant` to be an integer, got [redacted] (string)')
    expect(refusal(() => check.integer()('tls.key', 'canary')).message).not.toContain('canary')
  })
})
