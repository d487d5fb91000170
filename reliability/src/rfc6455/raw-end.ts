/** A raw end of a WebSocket: it sends the frames of a row and keeps what comes. */
import type { Socket } from 'node:net'
import type { Random } from '@bus/core'
import { OPCODE } from '../raw/frame.ts'
import { FrameReader, frameBytes, type SentFrame } from './frames.ts'
import { closeWith, ping, type Chop, type Message, type Row } from './row.ts'

/** Milliseconds until something that must come is given up. */
const DEADLINE_MS = 5_000
/** What the ping behind a row that leaves the link open carries. */
const END = 'behind the row'

/** Behind the handshake. */
export class RawEnd {
  readonly messages: Message[] = []
  readonly pongs: Buffer[] = []
  /** The code of the first close frame; 1005 for one without a code. */
  close: number | undefined
  /** Frames behind a close frame. */
  strays = 0
  readonly #socket: Socket
  readonly #isClient: boolean
  readonly #random: Random
  readonly #reader = new FrameReader()
  readonly #looks = new Set<() => void>()
  #parts: Buffer[] = []
  #kind: Message['kind'] = 'text'
  #hasEnded = false
  #hasSaidClose = false

  /** @param isClient - which side it plays; @param early - bytes that came along with the handshake */
  constructor(socket: Socket, isClient: boolean, random: Random, early: Buffer = Buffer.alloc(0)) {
    this.#socket = socket
    this.#isClient = isClient
    this.#random = random
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        this.#hasEnded = true
        this.#look()
      })
    }
    this.#take(early)
  }

  /** Sends the frames of a row and waits for the end of the link, which it asks for if the row does not. */
  async play({ frames, chop, want }: Row): Promise<void> {
    this.#hasSaidClose = frames.some(({ opcode }) => opcode === OPCODE.close)
    await this.#write(frames, chop)
    if (want.close === undefined) {
      this.send(ping(END))
      await this.until(() => this.#isOver || this.pongs.some((pong) => pong.toString() === END))
      if (!this.#isOver) this.send(closeWith(1000))
      this.#hasSaidClose = true
    }
    await this.until(() => this.#isOver)
    if (this.close !== undefined && !this.#hasSaidClose) this.send(closeWith(1000))
    this.#socket.end()
    await this.until(() => this.#hasEnded)
    this.#socket.destroy()
  }

  send(frame: SentFrame): void {
    this.#socket.write(frameBytes(frame, this.#isClient, this.#random))
  }

  /** The pongs besides the one that {@link play} asked for. */
  get ownPongs(): Buffer[] {
    return this.pongs.filter((pong) => pong.toString() !== END)
  }

  /** Resolves when the condition holds, or when it is too late. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return
        clearTimeout(timer)
        this.#looks.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#looks.delete(look)
        resolve()
      }, DEADLINE_MS)
      this.#looks.add(look)
      look()
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.close !== undefined
  }

  async #write(frames: readonly SentFrame[], chop: Chop): Promise<void> {
    const all = frames.map((frame) => frameBytes(frame, this.#isClient, this.#random))
    for (const piece of pieces(all, chop)) {
      // An end that has seen enough is right to leave in the middle.
      if (this.#hasEnded) return
      await new Promise((resolve) => this.#socket.write(piece, resolve))
    }
  }

  #take(bytes: Buffer): void {
    for (const { opcode, payload, fin } of this.#reader.take(bytes)) {
      if (this.close !== undefined) this.strays++
      else if (opcode === OPCODE.close) {
        this.close = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
      } else if (opcode === OPCODE.pong) this.pongs.push(payload)
      else if (opcode <= OPCODE.binary) this.#part(opcode, payload, fin)
    }
    this.#look()
  }

  #part(opcode: number, payload: Buffer, fin: boolean): void {
    if (opcode !== OPCODE.continuation) this.#kind = opcode === OPCODE.text ? 'text' : 'binary'
    this.#parts.push(payload)
    if (!fin) return
    this.messages.push({ kind: this.#kind, bytes: Buffer.concat(this.#parts) })
    this.#parts = []
  }

  #look(): void {
    for (const look of this.#looks) look()
  }
}

/** The same bytes in the pieces in which they are written. */
function pieces(frames: readonly Buffer[], chop: Chop): readonly Buffer[] {
  if (chop === 'frames') return frames
  const all = Buffer.concat(frames)
  const size = chop === 'octets' ? 1 : chop === 'once' ? Math.max(1, all.length) : chop
  const count = Math.ceil(all.length / size)
  return Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size))
}
