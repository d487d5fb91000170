/** Reads each frame once, although everybody who waits for an answer looks at it. */
import type { Frame } from '@bus/websocket/protocol'
import { jsonrpc, type RpcMessage } from './messages.ts'

/** Remembers the newest frame only. */
export class MessageReader {
  #frame: Frame | undefined
  #message: RpcMessage | undefined

  /** What the frame is; `undefined` when it is no message. */
  read(frame: Frame): RpcMessage | undefined {
    if (frame !== this.#frame) {
      this.#message = jsonrpc.match(frame)
      this.#frame = frame
    }
    return this.#message
  }

  /** The newest frame has been looked at by everybody. */
  forget(): void {
    this.#frame = undefined
    this.#message = undefined
  }
}
