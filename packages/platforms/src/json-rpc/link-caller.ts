/** Calls on links: makes requests, waits for their answers and makes results or errors of those. */
import { DecodeError, DisconnectedError } from '@bus/core'
import { RpcError } from './errors.ts'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import type { Frame, ProtocolLink, Requests } from '@bus/websocket/protocol'
import type { RpcArguments, RpcCaller, RpcRequestOptions } from './caller.ts'
import type { MessageReader } from './message-reader.ts'
import { isId, jsonrpc, type RpcId, type RpcMessage, type RpcParams } from './messages.ts'
import type { RpcMethod } from './method.ts'
import type { ResolvedJsonRpcOptions } from './options.ts'
import type { PendingIds } from './pending.ts'
import { written } from './written.ts'

type Answer = Extract<RpcMessage, { readonly kind: 'result' | 'error' }>

const REQUEST: Shape<RpcRequestOptions> = Object.freeze({
  id: check.where('to be a string or a finite number', isId),
  timeoutMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  signal: check.abortSignal,
})

/** What all callers of one protocol have in common. */
export interface CallerParts {
  readonly pending: PendingIds
  readonly requests: Requests
  readonly reader: MessageReader
  readonly options: ResolvedJsonRpcOptions
}

/** Calls on the link that there is at the time of the call. */
export class LinkCaller implements RpcCaller {
  readonly #parts: CallerParts
  readonly #current: () => ProtocolLink | undefined

  constructor(parts: CallerParts, link: () => ProtocolLink | undefined) {
    this.#parts = parts
    this.#current = link
  }

  request<P extends RpcParams | undefined, R>(
    method: RpcMethod<P, R>,
    ...rest: RpcArguments<P>
  ): Promise<R>
  request<R = unknown>(method: string, params?: RpcParams, options?: RpcRequestOptions): Promise<R>
  async request(
    method: string | RpcMethod,
    params?: RpcParams,
    options: RpcRequestOptions = {},
  ): Promise<unknown> {
    checkOptions('', options, REQUEST)
    const name = typeof method === 'string' ? method : method.name
    const result = await this.#exchange(name, params, options)
    return typeof method === 'string' ? result : parsed(method, result)
  }

  async notify(method: string, params?: RpcParams): Promise<void> {
    const frame = written(jsonrpc.notification(method, params))
    await this.#link(method).send(frame)
  }

  async #exchange(
    method: string,
    params: RpcParams | undefined,
    options: RpcRequestOptions,
  ): Promise<unknown> {
    const { pending, options: own } = this.#parts
    const { timeoutMs = own.timeoutMs, signal } = options
    const link = this.#link(method)
    const id = pending.take(options.id)
    try {
      const frame = written(jsonrpc.request(id, method, params))
      if (own.beforeRequest !== undefined) {
        await own.beforeRequest({ method, params, signal })
        refuseWithout(link, method)
      }
      const match = (came: Frame): Answer | undefined => this.#answer(id, came)
      const answer = await this.#parts.requests.run(link, frame, match, {
        timeoutMs,
        what: `The request ${method}`,
        ...(signal === undefined ? {} : { signal }),
      })
      if (answer.kind === 'result') return answer.result
      const retryable = own.isRetryable(answer.error)
      throw new RpcError(method, answer.error, { retryable })
    } finally {
      pending.release(id)
    }
  }

  /** A request of the other side may use the same id: it is no answer. */
  #answer(id: RpcId, frame: Frame): Answer | undefined {
    const message = this.#parts.reader.read(frame)
    const isAnswer = message?.kind === 'result' || message?.kind === 'error'
    return isAnswer && message.id === id ? message : undefined
  }

  #link(method: string): ProtocolLink {
    const link = this.#current()
    refuseWithout(link, method)
    return link
  }
}

function refuseWithout(
  link: ProtocolLink | undefined,
  method: string,
): asserts link is ProtocolLink {
  if (link !== undefined && !link.signal.aborted) return
  const message = `There is no link for the request ${method}`
  throw new DisconnectedError(message, { outcome: 'not-sent' })
}

function parsed<R>(method: RpcMethod<RpcParams | undefined, R>, result: unknown): R {
  try {
    return method.parse(result)
  } catch (cause) {
    throw new DecodeError(`The result of ${method.name} is not what was expected`, { cause })
  }
}
