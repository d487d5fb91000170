/** Metadata in plain JSON: `timestamp` as RFC 3339 text, `correlation_id`, and every other attribute as it is. */
import type { EventMetadata } from '../contract/event.ts'
import { expectedWire } from './decode-failure.ts'
import { isTimestamp } from './timestamp.ts'

/** Whether an attribute of this name could change a prototype when somebody merges metadata. */
function isHostile(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}

/** Metadata as they are written. @throws `TypeError` or `RangeError` for what JSON must not carry. */
export function toWireMetadata(metadata: EventMetadata, format: (ms: number) => string): object {
  const { timestamp, correlationId } = metadata
  if (!isTimestamp(timestamp)) {
    throw new RangeError('metadata.timestamp is not a moment of the years 0000 to 9999')
  }
  const wire: Record<string, unknown> = { timestamp: format(timestamp) }
  for (const name of Object.keys(metadata)) {
    if (name === 'timestamp' || name === 'correlationId') continue
    if (isHostile(name)) throw new TypeError(`metadata must not have an attribute ${name}`)
    wire[name] = metadata[name]
  }
  if (correlationId !== undefined) wire['correlation_id'] = correlationId
  return wire
}

/**
 * Metadata as they were received, frozen. A missing timestamp is now; `null` stands for missing.
 *
 * @param envelope - whether they also hold the event's `id` and `event_type`, which are then left out
 * @param parse - reads RFC 3339
 * @throws `DecodeError` naming the member
 */
export function fromWireMetadata(
  wire: Readonly<Record<string, unknown>>,
  envelope: boolean,
  parse: (text: string) => number | undefined,
): EventMetadata {
  const timestamp = readTimestamp(wire['timestamp'], parse)
  const metadata: { timestamp: number } & Record<string, unknown> = { timestamp }
  for (const name of Object.keys(wire)) {
    if (name === 'timestamp' || (envelope && (name === 'id' || name === 'event_type'))) continue
    const value = wire[name]
    if (name === 'source' || name === 'correlation_id' || name === 'correlationId') {
      readText(metadata, name, value)
    } else if (isHostile(name)) {
      throw expectedWire('metadata', 'to have no member of such a name', name)
    } else metadata[name] = value
  }
  return Object.freeze(metadata)
}

function readTimestamp(value: unknown, parse: (text: string) => number | undefined): number {
  if (value === undefined || value === null) return Date.now()
  if (isTimestamp(value)) return value
  const ms = typeof value === 'string' ? parse(value) : undefined
  if (ms !== undefined) return ms
  throw expectedWire('metadata.timestamp', 'to be RFC 3339 text or milliseconds since 1970', value)
}

function readText(metadata: Record<string, unknown>, name: string, value: unknown): void {
  if (value === null) return
  if (typeof value !== 'string') {
    throw expectedWire(`metadata.${name}`, 'to be a string', value)
  }
  // The name of the wire wins over our own, whichever comes first.
  if (name === 'correlationId') metadata[name] ??= value
  else metadata[name === 'correlation_id' ? 'correlationId' : name] = value
}
