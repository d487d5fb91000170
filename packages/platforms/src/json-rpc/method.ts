/** A method of a server, with the types of its arguments and of its result. */
import { ConfigError } from '@bus/core'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import type { RpcParams } from './messages.ts'

/** A method that takes `P` and gives `R`. */
export interface RpcMethod<P extends RpcParams | undefined = RpcParams | undefined, R = unknown> {
  readonly name: string
  /** Makes of a result what callers get. */
  readonly parse: (result: unknown) => R
  /** Only for types: what it takes. */
  readonly params?: P | undefined
}

/** The options of `defineMethod`. */
export interface DefineMethodOptions<R> {
  /** Checks a result, or makes another value of it; what it throws rejects the call. @default taken as it is */
  readonly parse?: ((result: unknown) => R) | undefined
}

const SHAPE: Shape<DefineMethodOptions<unknown>> = { parse: check.func }

/**
 * Names a method with its types once, for every call of it.
 *
 * @throws `ConfigError` for an empty name or an unknown option
 * @example
 * ```ts
 * import { defineMethod, jsonRpcProtocol } from '@bus/platforms'
 *
 * const ticker = defineMethod<{ instrument_name: string }, { last_price: number }>('public/ticker')
 * const rpc = jsonRpcProtocol()
 *
 * export async function lastPrice(instrument: string): Promise<number> {
 *   const { last_price: price } = await rpc.request(ticker, { instrument_name: instrument })
 *   return price
 * }
 * ```
 */
export function defineMethod<P extends RpcParams | undefined = undefined, R = unknown>(
  name: string,
  options: DefineMethodOptions<R> = {},
): RpcMethod<P, R> {
  if (typeof name !== 'string' || name === '') {
    throw ConfigError.expected('name', 'to be a non-empty string', name)
  }
  checkOptions('', options, SHAPE)
  return Object.freeze({ name, parse: options.parse ?? ((result: unknown) => result as R) })
}
