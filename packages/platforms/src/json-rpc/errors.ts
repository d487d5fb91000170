/** The errors of requests: an answer that is an error, and an id that is taken. */
import { BusError, type BusErrorOptions } from '@bus/core'

/** The other side answered a request with an error; `rpcCode` and `data` are from its answer. */
export class RpcError extends BusError {
  override name: string = 'RpcError'
  readonly code = 'rpc'
  readonly category = 'permanent'
  /** The method that was called. */
  readonly method: string
  /** The number of the error: from -32768 to -32000 those of JSON-RPC, else the server's own. */
  readonly rpcCode: number
  /** What the other side says besides its message; `undefined` when nothing. */
  readonly data: unknown

  constructor(
    method: string,
    body: { readonly code: number; readonly message: string; readonly data?: unknown },
    options: BusErrorOptions = {},
  ) {
    super(`${method} was answered with error ${body.code}: ${body.message}`, {
      outcome: 'rejected',
      ...options,
    })
    this.method = method
    this.rpcCode = body.code
    this.data = body.data
  }
}

/** A request with this id is still waiting for its answer. Nothing was sent. */
export class DuplicateIdError extends BusError {
  override name: string = 'DuplicateIdError'
  readonly code = 'duplicate-id'
  readonly category = 'permanent'

  constructor(id: string | number, options: BusErrorOptions = {}) {
    super(`A request with the id ${JSON.stringify(id)} is still waiting for its answer`, {
      outcome: 'not-sent',
      ...options,
    })
  }
}
