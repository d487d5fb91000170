/** A message as text. */
import { SerializationError } from '@bus/core'
import type { RpcNotification, RpcRequest } from './messages.ts'

/** @throws `SerializationError` for arguments that JSON cannot carry */
export function written(message: RpcRequest | RpcNotification): string {
  try {
    return JSON.stringify(message)
  } catch (cause) {
    const what = `The arguments of ${message.method} cannot be written as JSON`
    throw new SerializationError(what, { cause, outcome: 'not-sent' })
  }
}
