import { ConfigError } from '@bus/core'
import { expect, expectTypeOf, test } from 'vitest'
import type { RpcCaller } from './caller.ts'
import { defineMethod } from './method.ts'

test('has its name, and takes a result as it is', () => {
  const method = defineMethod('public/test')
  const result = { version: '1.2.26' }
  expect(method.name).toBe('public/test')
  expect(method.parse(result)).toBe(result)
  expect(Object.isFrozen(method)).toBe(true)
})

test('makes of a result what its parse says', () => {
  const time = defineMethod<undefined, Date>('public/get_time', {
    parse: (result) => new Date(result as number),
  })
  expect(time.parse(0)).toEqual(new Date(0))
})

test('ties arguments and result together in a call', () => {
  interface Arguments {
    readonly instrument_name: string
  }
  const ticker = defineMethod<Arguments, { readonly last_price: number }>('public/ticker')
  const time = defineMethod<undefined, number>('public/get_time')
  const check = (rpc: RpcCaller): void => {
    expectTypeOf(rpc.request(ticker, { instrument_name: 'BTC' })).resolves.toEqualTypeOf<{
      readonly last_price: number
    }>()
    expectTypeOf(rpc.request(time)).resolves.toEqualTypeOf<number>()
    expectTypeOf(rpc.request('public/anything')).resolves.toEqualTypeOf<unknown>()
    // @ts-expect-error -- its arguments are missing
    void rpc.request(ticker)
    // @ts-expect-error -- another argument
    void rpc.request(ticker, { instrument: 'BTC' })
  }
  expect(check).toBeTypeOf('function')
})

test.each([
  ['an empty name', () => defineMethod(''), 'name'],
  ['a parse that is no function', () => defineMethod('a', { parse: 1 as never }), 'parse'],
  ['an unknown option', () => defineMethod('a', { result: 1 } as never), 'result'],
])('refuses %s', (_what, make, path) => {
  expect(make).toThrow(ConfigError)
  expect(make).toThrow(expect.objectContaining({ path }) as Error)
})
