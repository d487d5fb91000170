/** Closing a socket safely, and telling bad frames from other errors of a socket. */

/** What closing needs of a socket. */
export interface ClosableSocket {
  /** Starts the closing handshake. May throw for a code or a reason that must not be put in a frame. */
  close(code: number, reason: string): void
  /** Destroys the socket at once. */
  terminate(): void
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
export function closeSafely(port: ClosableSocket, code: number, reason = ''): Error | undefined {
  try {
    port.close(isSendableCloseCode(code) ? code : NORMAL, truncateReason(reason))
    return undefined
  } catch (error) {
    return terminateAfter(port, error)
  }
}

/** Whether RFC 6455 lets an endpoint put this code into a close frame. */
export function isSendableCloseCode(code: unknown): code is number {
  if (typeof code !== 'number' || !Number.isInteger(code)) return false
  return (
    (code >= 1000 && code <= 1003) ||
    (code >= 1007 && code <= 1014) ||
    (code >= 3000 && code <= 4999)
  )
}

/** The longest beginning of `reason` that fits into a close frame and does not split a character. */
export function truncateReason(reason: string): string {
  // encodeInto never writes a part of a character, and says how many code units it has read.
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES))
  return reason.slice(0, read)
}

function terminateAfter(port: Pick<ClosableSocket, 'terminate'>, cause: unknown): Error {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  try {
    port.terminate()
    return error
  } catch (second) {
    return new AggregateError([error, second], 'The socket could be neither closed nor terminated')
  }
}

/** Whether the error of a socket is about a frame that breaks the rules, or our limits. */
export function isBadFrame(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code?.startsWith('WS_ERR_') === true
}
