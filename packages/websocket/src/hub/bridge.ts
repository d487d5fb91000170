/** The bridge: events of the plain wire reach the connections of `bus.v1`, and the other way round; both reach other hubs. */

import { jsonCodec, type Event } from '@bus/core'
import { mayHavePassed, type Backend } from './backend.ts'
import type { Exchange } from './bus-v1/exchange.ts'
import type { Relay } from './relay.ts'

/** A frame has one event, both ways. What has no form on the other wire stays on its own, and is counted. */
export class Bridge {
  readonly #codec = jsonCodec()
  readonly #exchange: Exchange
  readonly #relay: Relay
  readonly #backend: Backend | undefined
  #unbridged = 0

  /** @param backend - shares the events with other hubs; `undefined`: there are none */
  constructor(exchange: Exchange, relay: Relay, backend: Backend | undefined) {
    this.#exchange = exchange
    this.#relay = relay
    this.#backend = backend
  }

  /** Frames and events that have no form on the other wire. */
  get unbridged(): number {
    return this.#unbridged
  }

  /** A frame of the plain wire. */
  fromPlain(data: Buffer, isBinary: boolean): void {
    if (this.#exchange.isIdle && this.#backend === undefined) return
    const event = isBinary ? undefined : this.#decode(data)
    if (event === undefined) {
      this.#unbridged++
      return
    }
    if (this.#backend?.isEcho(event) === true) return
    const offset = this.#exchange.publishPlain(event.type, lineOf(event))
    if (offset !== undefined) this.#backend?.share(event, offset)
  }

  /** Whether what a client publishes comes back to this hub. Bodies that name no hub are not read. */
  isEcho(type: string, id: string, body: Buffer): boolean {
    if (!mayHavePassed(body)) return false
    const event = eventOf(type, id, body.toString())
    return event !== undefined && this.#backend?.isEcho(event) === true
  }

  /** An event of another hub, for the connections of either wire. @returns whether there was room for it */
  fromBackend(event: Event): boolean {
    if (this.#relay.isFull || !this.#exchange.append(event.type, lineOf(event))) return false
    this.#toPlain(event)
    return true
  }

  /** An event of a `bus.v1` connection, by its offset. @returns whether its publisher waits for the backend */
  fromBusV1(offset: number): boolean {
    if (this.#relay.size === 0 && this.#backend === undefined) return false
    const event = this.#eventAt(offset)
    if (event === undefined) {
      this.#unbridged++
      return false
    }
    this.#toPlain(event)
    return this.#backend?.share(event, offset) ?? false
  }

  #toPlain(event: Event): void {
    if (this.#relay.size === 0) return
    const frame = this.#encode(event)
    if (frame === undefined) this.#unbridged++
    else this.#relay.broadcast(frame)
  }

  #decode(data: Buffer): Event | undefined {
    try {
      return this.#codec.decode(data.toString())
    } catch {
      // The plain wire carries anything, `bus.v1` only events.
      return undefined
    }
  }

  #eventAt(offset: number): Event | undefined {
    const line = this.#exchange.log.segmentOf(offset)?.slice(offset, offset).toString() ?? ''
    const header = line.split(' ', 4)
    const [, , type = '', id = ''] = header
    return eventOf(type, id, line.slice(header.join(' ').length + 1))
  }

  #encode(event: Event): Buffer | undefined {
    try {
      return Buffer.from(this.#codec.encode(event))
    } catch {
      return undefined
    }
  }
}

function eventOf(type: string, id: string, body: string): Event | undefined {
  try {
    const { payload, metadata } = JSON.parse(body) as { payload?: unknown; metadata?: unknown }
    const isRecord = typeof metadata === 'object' && metadata !== null
    return isRecord ? { payload, metadata: metadata as Event['metadata'], id, type } : undefined
  } catch {
    // Bodies are opaque to the hub until here.
    return undefined
  }
}

function lineOf({ id, type, payload, metadata }: Event): Buffer {
  return Buffer.from(`${type} ${id} ${JSON.stringify({ payload, metadata })}`)
}
