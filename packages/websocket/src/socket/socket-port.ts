/** The socket port: the few things that writer, reader and heartbeat need of one physical socket. */

import { isSendableCloseCode } from '../protocol/close-codes.ts'

/** One physical WebSocket. None of its members throws while the socket is open. */
export interface SocketPort {
  /** Bytes handed over by `send` that the operating system has not taken yet. */
  readonly bufferedAmount: number
  /**
   * The socket is gone. A `done` that comes now says nothing, even without an error: Node calls back a write that was
   * under way when its socket was destroyed as if it had succeeded.
   */
  readonly isDestroyed: boolean
  /** Sends one message. `done` is called once: the operating system took it, or with why it did not. */
  send(data: string | Uint8Array, binary: boolean, done: (error?: Error | null) => void): void
  /** Sends a ping; the other side answers with a pong of the same payload, at most 125 bytes. */
  ping(payload: string): void
  /** Stops reading. Pings, pongs and the close of the other side are not seen either until {@link resume}. */
  pause(): void
  resume(): void
  /** Starts the closing handshake. See {@link closeSafely}. */
  close(code: number, reason: string): void
  /** Destroys the socket at once. */
  terminate(): void
  /** Holds back what is sent until {@link uncork}, so that it leaves in one write. */
  cork(): void
  uncork(): void
}

/** A close frame is a control frame of at most 125 bytes, two of which are the code (RFC 6455, 5.5). */
export const MAX_REASON_BYTES = 123

/** The code that stands in for one that must not be put in a frame. */
const NORMAL = 1000

/**
 * Closes with any code and reason, whatever they are: a code that must not be sent becomes 1000, a reason that is
 * too long is cut at the end of a character.
 *
 * @returns what the socket threw, which was then terminated; `undefined` when the handshake was started
 */
export function closeSafely(
  port: Pick<SocketPort, 'close' | 'terminate'>,
  code: number,
  reason = '',
): Error | undefined {
  try {
    port.close(isSendableCloseCode(code) ? code : NORMAL, truncateReason(reason))
    return undefined
  } catch (error) {
    return terminateAfter(port, error)
  }
}

/** The longest beginning of `reason` that fits into a close frame and does not split a character. */
export function truncateReason(reason: string): string {
  // encodeInto never writes a part of a character, and says how many code units it has read.
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES))
  return reason.slice(0, read)
}

function terminateAfter(port: Pick<SocketPort, 'terminate'>, cause: unknown): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  try {
    port.terminate()
    return error
  } catch (second) {
    return new AggregateError([error, second], 'The socket could be neither closed nor terminated')
  }
}

/** Whether the error of a socket tells of a frame that breaks the rules, or our limits. */
export function isBadFrame(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code?.startsWith('WS_ERR_') === true
}
