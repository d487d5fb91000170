/** The bridge: events of the plain wire reach the peers of `bus.v1`, and the other way round; both reach other hubs. */
import { jsonCodec, type Event } from '@bus/core'
import type { Exchange } from './bus-v1/exchange.ts'
import type { Relay } from './relay.ts'

/** One event a frame, both ways. Whatever cannot be written on the other wire stays on its own, and is counted. */
export class Bridge {
  readonly #codec = jsonCodec()
  readonly #exchange: Exchange
  readonly #relay: Relay
  readonly #share: ((event: Event, offset: number) => void) | undefined
  #unbridged = 0

  /** @param share - gives an event to the other hubs; `undefined` where there is no backend */
  constructor(
    exchange: Exchange,
    relay: Relay,
    share: ((event: Event, offset: number) => void) | undefined,
  ) {
    this.#exchange = exchange
    this.#relay = relay
    this.#share = share
  }

  /** Frames and events that have no form on the other wire. */
  get unbridged(): number {
    return this.#unbridged
  }

  /** A frame of the plain wire. */
  fromPlain(data: Buffer, isBinary: boolean): void {
    if (this.#exchange.size === 0 && this.#share === undefined) return
    const event = isBinary ? undefined : this.#decode(data)
    if (event === undefined) {
      this.#unbridged++
      return
    }
    const offset = this.#exchange.publishPlain(event.type, lineOf(event))
    if (offset !== undefined) this.#share?.(event, offset)
  }

  /** An event of another hub, for the peers of either wire. @returns whether there was room for it */
  fromBackend(event: Event): boolean {
    if (this.#relay.isFull || !this.#exchange.append(event.type, lineOf(event))) return false
    this.#toPlain(event)
    return true
  }

  /** An event of a `bus.v1` peer, by its offset. */
  fromBusV1(offset: number): void {
    if (this.#relay.size === 0 && this.#share === undefined) return
    const event = this.#eventAt(offset)
    if (event === undefined) {
      this.#unbridged++
      return
    }
    this.#toPlain(event)
    this.#share?.(event, offset)
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
      // The plain wire carries anything; only events have a place on the other one.
      return undefined
    }
  }

  #eventAt(offset: number): Event | undefined {
    const line = this.#exchange.log.segmentOf(offset)?.slice(offset, offset).toString() ?? ''
    const header = line.split(' ', 4)
    const [, , type = '', id = ''] = header
    const body = line.slice(header.join(' ').length + 1)
    try {
      return { ...(JSON.parse(body) as Pick<Event, 'payload' | 'metadata'>), id, type }
    } catch {
      // Bodies are opaque to the hub until here.
      return undefined
    }
  }

  #encode(event: Event): Buffer | undefined {
    try {
      return Buffer.from(this.#codec.encode(event))
    } catch {
      return undefined
    }
  }
}

function lineOf({ id, type, payload, metadata }: Event): Buffer {
  return Buffer.from(`${type} ${id} ${JSON.stringify({ payload, metadata })}`)
}
