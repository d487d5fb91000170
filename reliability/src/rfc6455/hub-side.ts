/** Our hub as the end under test: the raw end is a client, and what comes out is seen by another one. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Random } from '@bus/core'
import { createHub, type Hub } from '@bus/websocket/hub'
import { handshake } from '../raw/handshake.ts'
import { RawEnd } from './raw-end.ts'
import { text, type Outcome, type Row } from './row.ts'

const BLANK_LINE = '\r\n\r\n'

/** One hub for all rows. */
export class HubSide implements AsyncDisposable {
  readonly #hub: Hub
  readonly #random: Random
  /** Gets what the rows send, and what {@link #marker} sends behind it. */
  readonly #witness: RawEnd
  readonly #marker: RawEnd
  #rows = 0

  private constructor(hub: Hub, random: Random, witness: RawEnd, marker: RawEnd) {
    this.#hub = hub
    this.#random = random
    this.#witness = witness
    this.#marker = marker
  }

  static async start(random: Random): Promise<HubSide> {
    const hub = await createHub({
      allowAnonymous: true,
      // As large as a message may be.
      limits: { maxEventBytes: 1_048_576 },
    })
    const join = (): Promise<RawEnd> => joinHub(hub.port, random)
    return new HubSide(hub, random, await join(), await join())
  }

  async play(row: Row): Promise<Outcome & { readonly strays: number }> {
    const end = await joinHub(this.#hub.port, this.#random)
    await end.play(row)
    const mark = `behind row ${++this.#rows}`
    this.#marker.send(text(mark))
    const { messages } = this.#witness
    const isMark = (bytes: Buffer | undefined): boolean => bytes?.toString() === mark
    await this.#witness.until(() => isMark(messages.at(-1)?.bytes))
    const came = messages.splice(0).filter(({ bytes }) => !isMark(bytes))
    return { messages: came, pongs: end.ownPongs, close: end.close, strays: end.strays }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#witness.end()
    this.#marker.end()
    await this.#hub.close()
  }
}

/** A raw client of the plain wire. */
async function joinHub(port: number, random: Random): Promise<RawEnd> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  socket.write(handshake({ busV1: false }))
  let head = Buffer.alloc(0)
  while (!head.includes(BLANK_LINE)) {
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    head = Buffer.concat([head, bytes])
  }
  return new RawEnd(socket, true, random, head.subarray(head.indexOf(BLANK_LINE) + 4))
}
