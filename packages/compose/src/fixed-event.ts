/** The event as it is now: what a later attempt on another transport sends is what was published. */
import type { Event } from '@bus/core'
import { checkedEvent } from '@bus/core/kit'

/**
 * A copy whose payload nothing else refers to, in the form in which JSON would carry it. What JSON cannot carry stays as it is:
 * the transport then says so.
 *
 * @throws `ConfigError` for an event that was made by hand and is none.
 */
export function fixedEvent(given: Event): Event {
  const event = checkedEvent(given)
  const { payload } = event
  if (typeof payload !== 'object' || payload === null) return event
  if (payload instanceof Uint8Array) return withPayload(event, payload.slice())
  let text: string | undefined
  try {
    text = JSON.stringify(payload) as string | undefined
  } catch {
    return event
  }
  return text === undefined ? event : withPayload(event, JSON.parse(text))
}

function withPayload(event: Event, payload: unknown): Event {
  return Object.freeze({ ...event, payload })
}
