/** What the end of a connection means as an error of ours. */
import { BusError, ConnectionError, ProtocolError } from '@bus/core'
import { isBadFrame } from '../../socket/bad-frame.ts'
import type { CloseInfo } from './connection.ts'

const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'

/** The error as one of ours; what is not known counts as a failure of the connection. */
export function toBusError(error: unknown): BusError {
  if (error instanceof BusError) return error
  const message = error instanceof Error ? error.message : 'The connection attempt failed'
  return new ConnectionError(message, { cause: error })
}

/** Why a connection ended. Always worth another attempt as far as the error goes: the close code decides. */
export function closeError({ error, code, reason }: CloseInfo): BusError {
  if (error instanceof BusError) return error
  if (error !== undefined && isBadFrame(error)) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === TOO_LARGE
    const message = isTooLarge
      ? 'The server sent a message above `maxMessageBytes`'
      : `The server broke the rules of WebSocket: ${error.message}`
    return new ProtocolError(message, { cause: error, retryable: true })
  }
  // Quoted, because the text is the server's.
  const why = reason === '' ? '' : `: ${JSON.stringify(reason)}`
  const options = error === undefined ? { closeCode: code } : { closeCode: code, cause: error }
  return new ConnectionError(`The connection ended with code ${code}${why}`, options)
}
