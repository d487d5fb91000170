/** Events in notifications where a server says nothing else: the method is the type, and `params` the payload. */
import { DecodeError, SerializationError, createEvent, isType, type Event } from '@bus/core'
import type { RpcParams } from './messages.ts'

/** @throws `DecodeError` for a method that can be no type */
export function eventOf(notification: {
  readonly method: string
  readonly params?: unknown
}): Event {
  const type = notification.method.replaceAll('/', '.')
  if (!isType(type)) throw new DecodeError(`The method ${notification.method} can be no type`)
  return createEvent(type, notification.params ?? null)
}

/** @throws `SerializationError` for a payload that JSON-RPC has no place for */
export function notificationOf({ type, payload }: Event): {
  readonly method: string
  readonly params?: RpcParams
} {
  if (payload === null || payload === undefined) return { method: type }
  if (typeof payload === 'object') return { method: type, params: payload }
  const message = `The event \`${type}\` cannot be a notification: its payload is no object and no array`
  throw new SerializationError(message, { outcome: 'not-sent' })
}
