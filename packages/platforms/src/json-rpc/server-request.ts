/** A request of the other side, which wants an answer from us. */
import type { ProtocolLink } from '@bus/websocket/protocol'
import {
  jsonrpc,
  type RpcAnswer,
  type RpcErrorBody,
  type RpcId,
  type RpcMessage,
} from './messages.ts'

/** Asked by the server; answered once, on the link on which it came. */
export class RpcServerRequest {
  readonly id: RpcId
  readonly method: string
  readonly params: unknown
  readonly #link: ProtocolLink
  #isAnswered = false

  constructor(message: Extract<RpcMessage, { readonly kind: 'request' }>, link: ProtocolLink) {
    this.id = message.id
    this.method = message.method
    this.params = message.params
    this.#link = link
  }

  /** Answers with a result. Rejects with `DisconnectedError` when the link is gone. */
  respond(result: unknown): Promise<void> {
    return this.#answer(jsonrpc.result(this.id, result))
  }

  /** Answers with an error. Rejects with `DisconnectedError` when the link is gone. */
  refuse(error: RpcErrorBody): Promise<void> {
    return this.#answer(jsonrpc.error(this.id, error))
  }

  async #answer(answer: RpcAnswer): Promise<void> {
    if (this.#isAnswered) throw new TypeError(`The request ${this.method} is answered already`)
    this.#isAnswered = true
    await this.#link.send(JSON.stringify(answer))
  }
}
