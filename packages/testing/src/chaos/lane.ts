/** A lane: one direction of a link, from the socket that is read to the socket that is written. */
import type { Socket } from 'node:net'
import type { Clock, Random, Timer } from '@bus/core'
import { integerBetween } from './seeded-random.ts'
import { FAIR, type ResolvedWeather } from './weather.ts'

/** Bytes that wait in a lane before the sender is no longer read. */
const MAX_WAITING_BYTES = 262_144

export interface LanePorts {
  readonly clock: Clock
  readonly random: Random
  /** These bytes are passed on now. */
  passed(bytes: Buffer): void
  /** The last bytes before a cut have left. */
  cut(): void
}

interface Piece {
  readonly bytes: Buffer
  readonly due: number
}

/** Keeps the order, and the backpressure: what cannot be passed on is not read. */
export class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #ports: LanePorts
  #weather: ResolvedWeather = FAIR
  #pieces: Piece[] = []
  #waitingBytes = 0
  #lastDue = 0
  #freeAt = 0
  #holeUntil = 0
  /** Bytes that may still pass. */
  #left = Infinity
  #timer: Timer | undefined
  #turn: NodeJS.Immediate | undefined
  #hasEnded = false
  #isOver = false

  constructor(from: Socket, to: Socket, ports: LanePorts) {
    this.#from = from
    this.#to = to
    this.#ports = ports
    to.setNoDelay(true)
    from.on('data', (chunk: Buffer) => this.#read(chunk))
    from.on('end', () => {
      this.#hasEnded = true
      this.#move()
    })
    to.on('drain', () => this.#move())
  }

  set weather(weather: ResolvedWeather) {
    this.#weather = weather
  }

  /** Nothing passes for so many milliseconds; what comes meanwhile waits. */
  hole(ms: number): void {
    this.#holeUntil = Math.max(this.#holeUntil, this.#ports.clock.now() + ms)
  }

  /** So many bytes more, then the cut. */
  cutAfter(bytes: number): void {
    this.#left = Math.min(this.#left, bytes)
    if (this.#left === 0) this.#cut()
  }

  /** Passes nothing on any more; what is read is thrown away. */
  stop(): void {
    this.#isOver = true
    this.#pieces = []
    if (this.#timer !== undefined) this.#ports.clock.clearTimeout(this.#timer)
    if (this.#turn !== undefined) clearImmediate(this.#turn)
    this.#from.resume()
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return
    const { sliceBytes } = this.#weather
    for (let at = 0; at < chunk.length;) {
      const most = Math.min(sliceBytes, chunk.length - at)
      const size = sliceBytes === Infinity ? most : integerBetween(this.#ports.random, 1, most)
      this.#add(chunk.subarray(at, at + size))
      at += size
    }
    this.#move()
  }

  #add(bytes: Buffer): void {
    const { delayMs, jitterMs, bytesPerSecond } = this.#weather
    const now = this.#ports.clock.now()
    const late = delayMs + (jitterMs === 0 ? 0 : this.#ports.random() * jitterMs)
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes.length * 1_000) / bytesPerSecond
    // Jitter must not make bytes overtake each other.
    this.#lastDue = Math.max(this.#lastDue, now + late, this.#freeAt + late)
    const isNow = this.#lastDue <= now
    this.#pieces.push({ bytes, due: isNow ? 0 : this.#lastDue })
    this.#waitingBytes += bytes.length
  }

  #move(): void {
    if (this.#isOver || this.#timer !== undefined || this.#turn !== undefined) return
    let piece = this.#pieces[0]
    while (piece !== undefined && !this.#to.writableNeedDrain) {
      const wait = Math.max(piece.due, this.#holeUntil) - this.#ports.clock.now()
      if (wait > 0) {
        this.#later(wait)
        break
      }
      this.#pieces.shift()
      this.#waitingBytes -= piece.bytes.length
      this.#pass(piece.bytes)
      if (this.#hasStopped) return
      piece = this.#pieces[0]
      if (piece !== undefined && this.#weather.sliceBytes !== Infinity) {
        this.#nextTurn()
        break
      }
    }
    if (this.#hasEnded && this.#pieces.length === 0) this.#to.end()
    else if (this.#waitingBytes >= MAX_WAITING_BYTES || this.#to.writableNeedDrain) {
      this.#from.pause()
    } else this.#from.resume()
  }

  /** A getter, because `#pass` may change it. */
  get #hasStopped(): boolean {
    return this.#isOver
  }

  #later(ms: number): void {
    this.#timer = this.#ports.clock.setTimeout(() => {
      this.#timer = undefined
      this.#move()
    }, ms)
  }

  #nextTurn(): void {
    this.#turn = setImmediate(() => {
      this.#turn = undefined
      this.#move()
    })
  }

  #pass(bytes: Buffer): void {
    const part = bytes.length < this.#left ? bytes : bytes.subarray(0, this.#left)
    this.#left -= part.length
    this.#ports.passed(part)
    if (this.#left > 0) this.#to.write(part)
    else this.#writeLast(part)
  }

  #writeLast(part: Buffer): void {
    this.#isOver = true
    this.#to.write(part, () => this.#cut())
  }

  #cut(): void {
    this.#isOver = true
    this.#ports.cut()
  }
}
