/** The event as it is now: what a later attempt on another transport sends is what was published. */
import type { Event } from '../contract/event.ts'

/**
 * A copy whose payload nobody else holds, in the form in which JSON would carry it. What JSON cannot carry stays as it is:
 * the transport then says so.
 */
export function fixedEvent(event: Event): Event {
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
