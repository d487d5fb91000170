/** The caller: requests and notifications on one link, or on whichever is ready. */
import type { RequestOptions } from '@bus/websocket'
import type { RpcId, RpcParams } from './messages.ts'
import type { RpcMethod } from './method.ts'

/** How one request is made. */
export interface RpcRequestOptions extends RequestOptions {
  /** The id to use instead of the next number: for a server that gives ids a meaning. */
  readonly id?: RpcId | undefined
}

/** What follows the method in a call: its arguments may be left out where it takes none. */
export type RpcArguments<P> = undefined extends P
  ? [params?: P, options?: RpcRequestOptions]
  : [params: P, options?: RpcRequestOptions]

/** Where requests are made. */
export interface RpcCaller {
  /**
   * Asks for something and resolves with the answer's result. Belongs to the link on which it was sent: it fails with
   * that, and is never sent again.
   *
   * @throws `RpcError` for an answer that is an error, `TimeoutError`, `AbortedError`, `DisconnectedError` whose
   * `outcome` tells whether the request had left, `DuplicateIdError`, `QueueFullError`, `SerializationError`
   */
  request<P extends RpcParams | undefined, R>(
    method: RpcMethod<P, R>,
    ...rest: RpcArguments<P>
  ): Promise<R>
  request<R = unknown>(method: string, params?: RpcParams, options?: RpcRequestOptions): Promise<R>
  /** Says something that wants no answer. Resolves when the operating system has it. */
  notify(method: string, params?: RpcParams): Promise<void>
}
