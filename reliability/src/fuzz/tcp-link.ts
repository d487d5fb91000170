/** A link over TCP, which knows when the hub has taken what was sent. */
import { connect, type Socket } from 'node:net'
import { frame, OPCODE, text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import type { HubInput } from './hub-input.ts'
import { HubVoice } from './hub-voice.ts'

/** Milliseconds that a link may take to be ready, or to answer a whole message. */
const DEADLINE_MS = 20_000
/** Milliseconds after which a hub that does not answer waits for the rest of a frame. */
const OPEN_MS = 20

const FENCE = frame({ opcode: OPCODE.ping, payload: 'fence' })

/** Ends with `destroy`. */
export class TcpLink {
  readonly voice: HubVoice = new HubVoice(() => this.#wake?.())
  readonly #socket: Socket
  #wake: (() => void) | undefined

  private constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', () => {})
    this.#socket.on('data', (chunk: Buffer) => this.voice.hear(chunk))
    this.#socket.once('close', () => this.voice.end('cut'))
  }

  /** A link that is ready for inputs of this wire. @throws when the hub does not take it */
  static async open(port: number, wire: HubInput['wire']): Promise<TcpLink> {
    const link = new TcpLink(port)
    const { voice } = link
    if (wire === 'tcp') return link
    link.#socket.write(handshake({ busV1: wire !== 'plain' }))
    if (wire === 'bus') link.#socket.write(text(hello()))
    const isReady = (): boolean => (wire === 'bus' ? voice.texts > 0 : voice.isUpgraded)
    if (!(await link.#until(isReady, DEADLINE_MS)) || voice.ended !== undefined) {
      throw new Error(`The hub did not take a link: ${voice.ended ?? 'too late'}`)
    }
    return link
  }

  /** Writes the pieces one behind the other. @returns whether the hub waits for no more of it */
  async send(pieces: readonly Buffer[], mayBeOpen: boolean): Promise<boolean> {
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await new Promise((resolve) => setImmediate(resolve))
      this.#socket.write(piece)
    }
    const { pongs } = this.voice
    this.#socket.write(FENCE)
    const isTaken = (): boolean => this.voice.pongs > pongs
    if (await this.#until(isTaken, mayBeOpen ? OPEN_MS : DEADLINE_MS)) return true
    if (!mayBeOpen) throw new Error('The hub did not answer')
    return false
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** @returns whether it came to that, or to the end of the link, in time */
  async #until(isSo: () => boolean, ms: number): Promise<boolean> {
    const endsAt = performance.now() + ms
    while (!isSo() && this.voice.ended === undefined) {
      const leftMs = endsAt - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return true
  }
}
