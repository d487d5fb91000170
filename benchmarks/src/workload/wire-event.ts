/** The event as peers carry it: the plain JSON envelope, made, written and read as cheaply as the language allows. */
import { randomUUID } from 'node:crypto'
import type { Message } from './workload.ts'

/** The envelope of the plain JSON wire. */
export interface WireEvent {
  readonly id: string
  readonly event_type: string
  readonly payload: unknown
  readonly metadata: {
    /** A number for peers: the text of RFC 3339 that our own codec writes costs more to make. */
    readonly timestamp: number
    readonly source: string
    readonly correlation_id: string
    readonly sequence: number
  }
}

/** Where every event says it comes from. */
export const SOURCE = 'shop'

/** What every event belongs to. */
export const CORRELATION_ID = '4f1c9a'

/** Gets each event that arrives. */
export type OnEvent = (payload: unknown, sequence: number) => void

/** Makes an event with an id of its own. */
export function toWire({ type, payload, sequence }: Message): WireEvent {
  return {
    id: randomUUID(),
    event_type: type,
    payload,
    metadata: { timestamp: Date.now(), source: SOURCE, correlation_id: CORRELATION_ID, sequence },
  }
}

/** Makes an event and writes it as JSON. */
export function toJson(message: Message): string {
  return JSON.stringify(toWire(message))
}

/** Parses an event and hands it over. */
export function receiveJson(text: string, onEvent: OnEvent): void {
  receive(JSON.parse(text) as WireEvent, onEvent)
}

/** Hands over an event that the contender has parsed itself. */
export function receive({ payload, metadata }: WireEvent, onEvent: OnEvent): void {
  onEvent(payload, metadata.sequence)
}
