/** The methods of Deribit that the example uses, each with its arguments and its result. */
import { defineMethod, type RpcMethod } from '@bus/platforms'

/** Asks for so many seconds between two heartbeats. */
export const setHeartbeat: RpcMethod<{ readonly interval: number }, 'ok'> =
  defineMethod('public/set_heartbeat')

/** What a channel's name stands in. */
export interface Channels {
  readonly channels: readonly string[]
}

/** Gives the channels that were taken: those that do not exist are left out without an error. */
export const subscribe: RpcMethod<Channels, readonly string[]> = defineMethod('public/subscribe')

/** The same for channels of one's own account: `user.…`. */
export const subscribePrivate: RpcMethod<Channels, readonly string[]> =
  defineMethod('private/subscribe')

export const unsubscribe: RpcMethod<Channels, readonly string[]> =
  defineMethod('public/unsubscribe')

/** An order, as it is asked for. */
export interface Order {
  readonly instrument_name: string
  readonly amount: number
  readonly type: 'limit' | 'market'
  readonly price?: number
}

/** What became of an order. */
export interface Placed {
  readonly order: { readonly order_id: string; readonly order_state: string }
}

export const buy: RpcMethod<Order, Placed> = defineMethod('private/buy')
