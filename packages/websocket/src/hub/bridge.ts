/** The bridge: events of the plain wire reach the peers of `bus.v1`, and the other way round. */
import { jsonCodec, type Event } from '@bus/core'
import type { Exchange } from './bus-v1/exchange.ts'
import type { Relay } from './relay.ts'

/** One event a frame, both ways. Whatever cannot be written on the other wire stays on its own, and is counted. */
export class Bridge {
  readonly #codec = jsonCodec()
  readonly #exchange: Exchange
  readonly #relay: Relay
  #unbridged = 0

  constructor(exchange: Exchange, relay: Relay) {
    this.#exchange = exchange
    this.#relay = relay
  }

  /** Frames and events that have no form on the other wire. */
  get unbridged(): number {
    return this.#unbridged
  }

  /** A frame of the plain wire. */
  fromPlain(data: Buffer, isBinary: boolean): void {
    if (this.#exchange.size === 0) return
    const event = isBinary ? undefined : this.#decode(data)
    if (event === undefined) {
      this.#unbridged++
      return
    }
    const { id, type, payload, metadata } = event
    const line = Buffer.from(`${type} ${id} ${JSON.stringify({ payload, metadata })}`)
    this.#exchange.publishPlain(type, line)
  }

  /** An event of a `bus.v1` peer, by its offset. */
  toPlain(offset: number): void {
    if (this.#relay.size === 0) return
    const frame = this.#encode(offset)
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

  #encode(offset: number): Buffer | undefined {
    const line = this.#exchange.log.segmentOf(offset)?.slice(offset, offset).toString() ?? ''
    const header = line.split(' ', 4)
    const [, , type = '', id = ''] = header
    const body = line.slice(header.join(' ').length + 1)
    try {
      const { payload, metadata } = JSON.parse(body) as Pick<Event, 'payload' | 'metadata'>
      return Buffer.from(this.#codec.encode({ id, type, payload, metadata }))
    } catch {
      // Bodies are opaque to the hub until here.
      return undefined
    }
  }
}
