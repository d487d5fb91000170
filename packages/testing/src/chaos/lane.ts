/** A lane: one direction of a link, from the socket that is read to the socket that is written. */
import type { Socket } from 'node:net'
import type { Clock, Random, Timer } from '@bus/core'
import { UNIMPAIRED, type ResolvedConditions, type BlackholeMode } from './conditions.ts'
import { integerBetween } from './seeded-random.ts'

/** Bytes that are buffered in a lane before reading from the sender stops. */
const MAX_WAITING_BYTES = 262_144

export interface LanePorts {
  readonly clock: Clock
  readonly random: Random
  /** These bytes are passed on now. */
  passed(bytes: Buffer): void
  /** The last bytes before a cut have left. */
  cut(): void
  /** Bytes were discarded, or the end that is read broke: the link is to be reset. */
  broken(why: 'lost' | 'end'): void
}

interface Piece {
  readonly bytes: Buffer
  readonly due: number
}

/** Keeps the order and the backpressure: when the buffer is full, reading stops. */
export class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #ports: LanePorts
  #conditions: ResolvedConditions = UNIMPAIRED
  #pieces: Piece[] = []
  #waitingBytes = 0
  #lastDue = 0
  #freeAt = 0
  /** Infinite in a blackhole. */
  #holeUntil = 0
  #swallowed: BlackholeMode = 'hold'
  #hasLost = false
  /** Bytes that may still pass. */
  #left = Infinity
  #timer: Timer | undefined
  #immediate: NodeJS.Immediate | undefined
  /** When the end of the bytes may pass, once it has come. */
  #endDue: number | undefined
  #hasBroken = false
  #isOver = false

  constructor(from: Socket, to: Socket, ports: LanePorts) {
    this.#from = from
    this.#to = to
    this.#ports = ports
    to.setNoDelay(true)
    from.on('data', (chunk: Buffer) => this.#read(chunk))
    from.on('end', () => this.#end())
    to.on('drain', () => this.#move())
  }

  set conditions(conditions: ResolvedConditions) {
    this.#conditions = conditions
  }

  /** Nothing passes for so many milliseconds; what comes meanwhile waits. */
  hole(ms: number): void {
    this.#holeUntil = Math.max(this.#holeUntil, this.#ports.clock.now() + ms)
  }

  /** Nothing passes until `heal`. */
  blackhole(bytes: BlackholeMode): void {
    this.#holeUntil = Infinity
    this.#swallowed = bytes
  }

  /** Ends holes of any kind. */
  heal(): void {
    if (this.#isOver) return
    this.#holeUntil = 0
    this.#swallowed = 'hold'
    this.#clearTimer()
    if (this.#hasLost) this.#ports.broken('lost')
    else this.#move()
  }

  /** The end that is read broke: the other one is notified as soon as anything may pass. */
  breakOff(): void {
    this.#hasBroken = true
    this.#pieces = []
    this.#clearTimer()
    this.#move()
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
    this.#clearTimer()
    if (this.#immediate !== undefined) clearImmediate(this.#immediate)
    this.#from.resume()
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return
    if (this.#swallowed === 'discard') {
      this.#hasLost = true
      return
    }
    const { sliceBytes } = this.#conditions
    for (let at = 0; at < chunk.length;) {
      const most = Math.min(sliceBytes, chunk.length - at)
      const size = sliceBytes === Infinity ? most : integerBetween(this.#ports.random, 1, most)
      this.#add(chunk.subarray(at, at + size))
      at += size
    }
    this.#move()
  }

  #end(): void {
    if (this.#isOver) return
    if (this.#swallowed === 'discard') {
      this.#hasLost = true
      return
    }
    const due = Math.max(this.#lastDue, this.#ports.clock.now() + this.#late())
    this.#endDue = due + this.#conditions.closeDelayMs
    this.#move()
  }

  /** Milliseconds by which a piece that arrives now is delayed. */
  #late(): number {
    const { delayMs, jitterMs } = this.#conditions
    return delayMs + (jitterMs === 0 ? 0 : this.#ports.random() * jitterMs)
  }

  #add(bytes: Buffer): void {
    const { bytesPerSecond } = this.#conditions
    const now = this.#ports.clock.now()
    const late = this.#late()
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes.length * 1_000) / bytesPerSecond
    // Jitter must not make bytes overtake each other.
    this.#lastDue = Math.max(this.#lastDue, now + late, this.#freeAt + late)
    const isNow = this.#lastDue <= now
    this.#pieces.push({ bytes, due: isNow ? 0 : this.#lastDue })
    this.#waitingBytes += bytes.length
  }

  #move(): void {
    if (this.#isOver || this.#timer !== undefined || this.#immediate !== undefined) return
    if (this.#hasBroken) {
      if (this.#mayPass(0)) this.#ports.broken('end')
      return
    }
    let piece = this.#pieces[0]
    while (piece !== undefined && !this.#to.writableNeedDrain && this.#mayPass(piece.due)) {
      this.#pieces.shift()
      this.#waitingBytes -= piece.bytes.length
      this.#pass(piece.bytes)
      if (this.#hasStopped) return
      piece = this.#pieces[0]
      if (piece !== undefined && this.#conditions.sliceBytes !== Infinity) {
        this.#moveInNextIteration()
        break
      }
    }
    if (piece === undefined && this.#endDue !== undefined) {
      if (this.#mayPass(this.#endDue)) this.#to.end()
    } else if (this.#waitingBytes >= MAX_WAITING_BYTES || this.#to.writableNeedDrain) {
      this.#from.pause()
    } else this.#from.resume()
  }

  /** Whether it is time and no hole is open; otherwise sets a timer for that time. */
  #mayPass(due: number): boolean {
    const wait = Math.max(due, this.#holeUntil) - this.#ports.clock.now()
    if (wait <= 0) return true
    // A blackhole ends only by `heal`.
    if (wait !== Infinity) this.#later(wait)
    return false
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

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#ports.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #moveInNextIteration(): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined
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
