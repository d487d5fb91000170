/** The messages of JSON-RPC 2.0: made from their parts, and told apart when they come. */
import { isParsedWithinDepth } from '@bus/core/kit'
import type { Frame } from '@bus/websocket/protocol'

/** The deepest nesting of a message: deeper JSON parses, and then kills whoever walks it without a limit. */
const MAX_DEPTH = 64

/** Ties an answer to its request. The number 1 and the text '1' are two ids. */
export type RpcId = string | number

/** The arguments of a method: by name, or by position. */
export type RpcParams = object

/** A request, as it is written. */
export interface RpcRequest {
  readonly jsonrpc: '2.0'
  readonly id: RpcId
  readonly method: string
  readonly params?: RpcParams
}

/** A message that wants no answer, as it is written. */
export interface RpcNotification {
  readonly jsonrpc: '2.0'
  readonly method: string
  readonly params?: RpcParams
}

/** What an answer says that is an error. */
export interface RpcErrorBody {
  /** From -32768 to -32000 the errors of JSON-RPC itself, else the server's own. */
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** An answer, as it is written. */
export type RpcAnswer =
  | { readonly jsonrpc: '2.0'; readonly id: RpcId; readonly result: unknown }
  | { readonly jsonrpc: '2.0'; readonly id: RpcId | null; readonly error: RpcErrorBody }

/** A message that came, and which kind it is. */
export type RpcMessage =
  /** The other side asks for something. */
  | {
      readonly kind: 'request'
      readonly id: RpcId
      readonly method: string
      readonly params?: unknown
    }
  /** The other side tells something. */
  | { readonly kind: 'notification'; readonly method: string; readonly params?: unknown }
  | { readonly kind: 'result'; readonly id: RpcId; readonly result: unknown }
  /** `null`: the other side could not read the id of what it answers. */
  | { readonly kind: 'error'; readonly id: RpcId | null; readonly error: RpcErrorBody }

/** What can be done with messages alone, without a connection. */
export interface JsonRpcMessages {
  /** Ids for requests: 1, 2, 3, … */
  ids(): () => number
  /** A request. Without `params` it has none. */
  request(id: RpcId, method: string, params?: RpcParams): RpcRequest
  /** A message that wants no answer. */
  notification(method: string, params?: RpcParams): RpcNotification
  /** The answer to a request of the other side. */
  result(id: RpcId, result: unknown): RpcAnswer
  /** The answer to a request of the other side that failed. */
  error(id: RpcId | null, error: RpcErrorBody): RpcAnswer
  /**
   * What a frame is, text or bytes. `undefined` when it is no message of JSON-RPC 2.0, or nested more than 64 deep.
   * A message may leave the member `jsonrpc` out, as several servers do.
   */
  match(frame: Frame): RpcMessage | undefined
}

/**
 * Messages of JSON-RPC 2.0 by themselves, for whoever has a connection of another kind.
 *
 * @example
 * ```ts
 * import { jsonrpc } from '@bus/platforms'
 *
 * const nextId = jsonrpc.ids()
 * const frame = JSON.stringify(jsonrpc.request(nextId(), 'public/get_time'))
 * const message = jsonrpc.match('{"jsonrpc":"2.0","id":1,"result":1767225600000}')
 * if (message?.kind === 'result') console.log(frame, message.id, message.result)
 * ```
 */
export const jsonrpc: JsonRpcMessages = Object.freeze({
  ids: () => {
    let last = 0
    return () => (last += 1)
  },
  request: (id: RpcId, method: string, params?: RpcParams): RpcRequest =>
    params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params },
  notification: (method: string, params?: RpcParams): RpcNotification =>
    params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params },
  // JSON has no `undefined`, and an answer must have a result.
  result: (id: RpcId, result: unknown): RpcAnswer => ({
    jsonrpc: '2.0',
    id,
    result: result === undefined ? null : result,
  }),
  error: (id: RpcId | null, error: RpcErrorBody): RpcAnswer => ({ jsonrpc: '2.0', id, error }),
  match,
})

function match(frame: Frame): RpcMessage | undefined {
  const value = parse(frame)
  if (!isRecord(value)) return undefined
  const { jsonrpc: version, id, method, params, error } = value
  if (version !== undefined && version !== '2.0') return undefined
  if (typeof method === 'string') return call(id, method, params)
  if (method !== undefined) return undefined
  // Some servers send `"error": null` beside a result.
  if (isErrorBody(error)) {
    return isId(id) || id === null ? { kind: 'error', id, error } : undefined
  }
  if (!isId(id) || !('result' in value)) return undefined
  return { kind: 'result', id, result: value['result'] }
}

function call(id: unknown, method: string, params: unknown): RpcMessage | undefined {
  const rest = params === undefined ? { method } : { method, params }
  if (id === undefined) return { kind: 'notification', ...rest }
  return isId(id) ? { kind: 'request', id, ...rest } : undefined
}

function parse(frame: Frame): unknown {
  try {
    const value: unknown = JSON.parse(
      typeof frame === 'string' ? frame : new TextDecoder().decode(frame),
    )
    return isParsedWithinDepth(value, MAX_DEPTH) ? value : undefined
  } catch {
    return undefined // whoever asked decides what to make of a frame that is no JSON
  }
}

/** Whether the value can be the id of a request. */
export function isId(value: unknown): value is RpcId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
}

function isErrorBody(value: unknown): value is RpcErrorBody {
  if (!isRecord(value)) return false
  return typeof value['code'] === 'number' && typeof value['message'] === 'string'
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
