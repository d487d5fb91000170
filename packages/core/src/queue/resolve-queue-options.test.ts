import { describe, expect, test } from 'vitest'
import { ConfigError } from '../contract/errors.ts'
import { BACKPRESSURE_STRATEGIES, resolveQueueOptions, type QueueOptions } from './queue-options.ts'

function refusalOf(options: unknown, path?: string): ConfigError {
  try {
    resolveQueueOptions(options as QueueOptions, path)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the options were accepted')
}

test('without options a queue takes 1000 items, blocks, and warns at 80 %', () => {
  expect(resolveQueueOptions()).toEqual({
    capacity: 1_000,
    maxBytes: Infinity,
    strategy: 'block',
    warningThreshold: 0.8,
  })
})

test('what is given is kept, the result is frozen and the given object is not touched', () => {
  const given = Object.freeze({
    capacity: 3,
    maxBytes: 9,
    strategy: 'reject',
    warningThreshold: 1,
  } as const)
  const resolved = resolveQueueOptions(given)
  expect(resolved).toEqual(given)
  expect(resolved).not.toBe(given)
  expect(Object.isFrozen(resolved)).toBe(true)
})

test.each(BACKPRESSURE_STRATEGIES)('the strategy %s is accepted', (strategy) => {
  expect(resolveQueueOptions({ strategy }).strategy).toBe(strategy)
})

describe.each(['capacity', 'maxBytes'])('%s', (name) => {
  test.each([0, -1, 1.5, NaN, -Infinity, 2 ** 53, '5', null, true])(
    '%s is refused with the name, the value and the accepted form',
    (value) => {
      const error = refusalOf({ [name]: value })
      expect(error.path).toBe(name)
      expect(error.message).toContain(`Expected \`${name}\` to be an integer ≥ 1 or Infinity, got`)
      expect(error.message).toContain(String(value))
    },
  )

  test('no limit is accepted when it is given', () => {
    expect(resolveQueueOptions({ [name]: Infinity })).toMatchObject({ [name]: Infinity })
  })
})

test.each([0, -0.1, 1.01, NaN, '0.5', null])('a warning threshold of %s is refused', (value) => {
  const error = refusalOf({ warningThreshold: value })
  expect(error.path).toBe('warningThreshold')
  expect(error.message).toContain('(0, 1]')
})

test.each(['', 'Block', 'drop', null, 1])('a strategy %s is refused', (value) => {
  const error = refusalOf({ strategy: value })
  expect(error.path).toBe('strategy')
  expect(error.message).toContain("'block', 'drop-oldest', 'drop-newest', 'reject'")
})

test('an option that does not exist is refused, by its full name', () => {
  const error = refusalOf({ capasity: 5 }, 'outbox')
  expect(error.path).toBe('outbox.capasity')
  expect(error.message).toContain('capacity')
})

test.each([null, 5, 'block'])('options that are %s are refused', (value) => {
  expect(refusalOf(value).path).toBe('options')
  expect(refusalOf(value, 'outbox').path).toBe('outbox')
})
