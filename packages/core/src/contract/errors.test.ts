import { describe, expect, test } from 'vitest'
import * as errors from './errors.ts'

const { AbortedError, BusError, ConfigError, QueueFullError, SerializationError } = errors

/** One of each class, made the way that it is made. */
const cause = new Error('why')
const each: readonly errors.BusError[] = [
  new errors.ConfigError('a', 'm', { cause }),
  new errors.ValidationError('t', [], { cause }),
  new errors.SerializationError('m', { cause }),
  new errors.TooLargeError('The event', 2, 1, { cause }),
  new errors.DecodeError('m', { cause }),
  new errors.QueueFullError('m', { cause }),
  new errors.DroppedError('m', { cause }),
  new errors.RateLimitError('m', { reason: 'limited', cost: 1, retryAfterMs: 5 }, { cause }),
  new errors.TimeoutError('m', { cause }),
  new errors.AbortedError('m', { cause }),
  new errors.ClosedError('m', { cause }),
  new errors.DrainingError('m', { cause }),
  new errors.UnsupportedError('memory', 'groups', { cause }),
  new errors.UnknownSubscriptionError('m', { cause }),
  new errors.CircuitOpenError('m', { cause }),
  new errors.HandlerError('m', { cause }),
  new errors.ConnectionError('m', { cause }),
  new errors.DetachedError('m', { cause }),
  new errors.DisconnectedError('m', { cause }),
  new errors.HandshakeError({ status: 503, headers: {}, body: '' }, { cause }),
  new errors.AuthError('m', { cause }),
  new errors.BootstrapError('m', { cause }),
  new errors.ProtocolError('m', { cause }),
  new errors.HeartbeatTimeoutError('m', { cause }),
  new errors.AttemptsExhaustedError('m', { cause }),
  new errors.RejectedError('m', { cause }),
]

test('every class of error is shown here', () => {
  const classes = Object.values(errors).filter(
    (member) => typeof member === 'function' && member.prototype instanceof BusError,
  )
  expect(new Set(each.map((error) => error.constructor))).toEqual(new Set(classes))
})

test('the names are written out, not taken from classes, which a minifier renames', () => {
  const Renamed = class e extends errors.QueueFullError {}
  expect(new Renamed('full').name).toBe('QueueFullError')
  // As some libraries do with what they rethrow.
  expect(Object.assign(new errors.QueueFullError('full'), { name: 'Mine' }).name).toBe('Mine')
})

test('no two classes share a code', () => {
  expect(new Set(each.map((error) => error.code)).size).toBe(each.length)
})

describe.each(each.map((error) => [error.constructor.name, error] as const))(
  '%s',
  (name, error) => {
    test('has a name, a code, a category and the cause, and is an Error', () => {
      expect(error).toBeInstanceOf(Error)
      expect(error).toBeInstanceOf(BusError)
      const shown = error instanceof AbortedError ? 'AbortError' : name
      expect(error.name).toBe(shown)
      expect(error.code).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(error.cause).toBe(cause)
      expect(error.retryable).toBe(error.category === 'transient')
    })

    test('is plain data as JSON', () => {
      const { code, message, retryable } = error
      expect(JSON.parse(JSON.stringify(error))).toEqual({
        name: error.name,
        code,
        message,
        retryable,
      })
    })
  },
)

test('without a cause there is no cause', () => {
  expect(Object.hasOwn(new SerializationError('m'), 'cause')).toBe(false)
})

test('the code that throws knows better than the class whether to retry', () => {
  expect(new QueueFullError('m', { retryable: false }).retryable).toBe(false)
  expect(new SerializationError('m', { retryable: true }).retryable).toBe(true)
})

test.each([
  [0, '`0` (number)'],
  ['', '`` (string)'],
  [null, '`null` (null)'],
  [undefined, '`undefined` (undefined)'],
  [[1], '`[…]` (array)'],
  [{ a: 1 }, '`{…}` (object)'],
  [1n, '`1` (bigint)'],
])('a refused value %s is shown with its type', (value, shown) => {
  const error = ConfigError.expected('queue.capacity', 'to be an integer ≥ 1', value)
  expect(error.message).toBe(`Expected \`queue.capacity\` to be an integer ≥ 1, got ${shown}`)
  expect(error).toMatchObject({ path: 'queue.capacity', outcome: 'not-sent' })
})

test('a refused secret is not shown', () => {
  const error = ConfigError.expected('headers.authorization', 'to be a string', 'hunter2')
  expect(error.message).not.toContain('hunter2')
})
