/** The edits that wait for the frames of one transport's link, and the stream that makes them. */
import { Transform } from 'node:stream'
import type { Dialect } from './dialect.ts'
import { ServerFrameCutter, serverFrame, type ServerFrame } from './server-frames.ts'

const TEXT = 1
const CLOSE = 8

/** What is to be done to the links of one transport; each of the first three happens once for each time that it was asked for. */
export class FrameEdits {
  duplicates = 0
  corruptions = 0
  /** Called instead of passing on the next confirmation. */
  confirmation: (() => void) | undefined
  /** The streams of the open links. */
  readonly streams = new Set<FrameEditor>()
}

/** Passes on what the hub sends on one link, a frame at a time. */
export class FrameEditor extends Transform {
  readonly #edits: FrameEdits
  readonly #dialect: Dialect
  readonly #cutter = new ServerFrameCutter()
  /** Nothing of the hub passes any more: a close frame was said in its place. */
  #isClosing = false

  constructor(edits: FrameEdits, dialect: Dialect) {
    super()
    this.#edits = edits
    this.#dialect = dialect
    edits.streams.add(this)
    this.once('close', () => edits.streams.delete(this))
  }

  /** Says a close frame in the name of the hub, which is not asked. */
  sayClose(code: number): void {
    this.#isClosing = true
    // The hub has hung up already.
    if (this.writableEnded || this.destroyed) return
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    this.push(serverFrame(CLOSE, payload))
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    for (const whole of this.#cutter.push(chunk)) {
      if (this.#isClosing) break
      for (const bytes of Buffer.isBuffer(whole) ? [whole] : this.#edited(whole)) this.push(bytes)
    }
    done()
  }

  #edited({ opcode, payload, bytes }: ServerFrame): readonly Buffer[] {
    const edits = this.#edits
    const isIdle = edits.duplicates === 0 && edits.corruptions === 0 && !edits.confirmation
    if (isIdle || opcode !== TEXT) return [bytes]
    const message = payload.toString()
    if (edits.confirmation !== undefined && this.#dialect.confirms(message)) {
      const { confirmation } = edits
      edits.confirmation = undefined
      this.#isClosing = true
      confirmation()
      return []
    }
    const duplicated = edits.duplicates > 0 ? this.#dialect.duplicated(message) : undefined
    if (duplicated !== undefined) {
      edits.duplicates--
      return duplicated.map(textFrame)
    }
    const corrupted = edits.corruptions > 0 ? this.#dialect.corrupted(message) : undefined
    if (corrupted === undefined) return [bytes]
    edits.corruptions--
    return [textFrame(corrupted)]
  }
}

function textFrame(message: string): Buffer {
  return serverFrame(TEXT, Buffer.from(message))
}
