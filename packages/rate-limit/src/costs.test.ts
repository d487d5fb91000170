import { ConfigError, createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { costs } from './costs.ts'

describe('the costs of Deribit', () => {
  test.each([
    ['public/get_time', 1],
    ['public/subscribe', 1],
    ['private/get_positions', 5],
    ['private/set_heartbeat', 10],
    ['private/buy', 15],
    ['private/sell', 15],
    ['private/cancel_all', 5],
    ['something/else', 5],
  ])('%s costs %i', (method, cost) => {
    expect(costs.deribit({ jsonrpc: '2.0', id: 1, method })).toBe(cost)
  })
})

describe('the costs of Binance', () => {
  test.each([
    ['klines', 2],
    ['ticker', 1],
    ['depth', 1],
    ['order', 1],
    ['something.else', 1],
  ])('%s costs %i', (method, cost) => {
    expect(costs.binance({ id: 1, method })).toBe(cost)
  })
})

test('simple costs are 1 for everything', () => {
  const messages = ['a', 5, null, undefined, {}, { method: 'private/buy' }, createEvent('a', 1)]
  expect(messages.map((message) => costs.simple(message))).toEqual(messages.map(() => 1))
})

describe('a cost map', () => {
  const table = { subscription: 10, auth: 20, query: 0.5, free: 0 }

  test('says what each name costs', () => {
    const cost = costs.map(table)
    expect(Object.keys(table).map((name) => cost(name))).toEqual([10, 20, 0.5, 0])
  })

  test.each(['unknown', '', 'constructor', '__proto__', 'toString'])(
    'an unknown name (%j) costs the default',
    (name) => {
      expect(costs.map(table)(name)).toBe(1)
      expect(costs.map(table, { defaultCost: 3 })(name)).toBe(3)
    },
  )

  test('does not follow later changes of the table', () => {
    const own = { a: 1 }
    const cost = costs.map(own)
    own.a = 99
    expect(cost('a')).toBe(1)
  })

  test.each([
    ['table.a', { a: -1 }, {}],
    ['table.a', { a: 'much' }, {}],
    ['table', 5, {}],
    ['defaultCost', {}, { defaultCost: NaN }],
    ['default', {}, { default: 1 }],
  ])('refuses a wrong %s', (path, given, options) => {
    const make = (): unknown => costs.map(given as never, options as never)
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expect.objectContaining({ path }) as Error)
  })
})

describe('the name of a message', () => {
  const cost = costs.map({ name: 7 }, { defaultCost: 1 })

  test.each([
    ['the type of an event', createEvent('name', { n: 1 })],
    [
      'the method of a request that is the payload of an event',
      createEvent('x', { method: 'name' }),
    ],
    ['the method of a request', { method: 'name', type: 'other' }],
    ['the message itself', 'name'],
  ])('is %s', (_what, message) => {
    expect(cost(message)).toBe(7)
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['an object without any', {}],
    ['a method that is no text', { method: 5 }],
    ['an event without payload', createEvent('other', null)],
  ])('is missing from %s, which costs the default', (_what, message) => {
    expect(cost(message)).toBe(1)
  })
})
