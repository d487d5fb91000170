/** The recording of one connection: what goes over it becomes the entries of a recorder. */
import type { RecordingEntry } from './entry.ts'

/** Whether something came or was sent. */
type Direction = RecordingEntry['direction']

/** An entry without what every entry has. */
type Content = RecordingEntry extends infer E
  ? E extends RecordingEntry
    ? Omit<E, 'at' | 'direction'>
    : never
  : never

/** The close code of a link that broke without a close frame. */
const NO_FRAME = 1006

/** Has the methods of `ConnectionWatch` of `@bus/websocket`: a transport calls them. */
export class ConnectionRecording {
  readonly #url: string
  readonly #record: (entry: RecordingEntry) => void
  #isOpen = false

  /** @param url - without secrets */
  constructor(url: string, record: (entry: RecordingEntry) => void) {
    this.#url = url
    this.#record = record
  }

  /** The handshake succeeded. */
  opened(protocol: string): void {
    this.#isOpen = true
    this.#add('out', { kind: 'open', url: this.#url, protocol })
  }

  message(direction: Direction, data: string | Uint8Array, isBinary: boolean): void {
    if (isBinary) this.#add(direction, { kind: 'binary', data: bytesOf(data) })
    else this.#add(direction, { kind: 'text', data: textOf(data) })
  }

  control(direction: Direction, kind: 'ping' | 'pong', payload: string | Uint8Array): void {
    this.#add(direction, { kind, data: bytesOf(payload) })
  }

  /** We send a close frame. */
  closing(code: number, reason: string): void {
    this.#add('out', { kind: 'close', code, reason })
  }

  /** The connection is over; one that was never open is not recorded. */
  closed(end: {
    readonly code: number
    readonly reason: string
    readonly initiatedBy: 'local' | 'remote'
  }): void {
    if (!this.#isOpen) return
    const { code, reason, initiatedBy } = end
    this.#add('in', { kind: 'close', code, reason })
    const isAnswered = initiatedBy === 'remote' && code !== NO_FRAME
    // A close frame is answered with its own content.
    if (isAnswered) this.#add('out', { kind: 'close', code, reason })
  }

  #add(direction: Direction, content: Content): void {
    this.#record({ at: Date.now(), direction, ...content })
  }
}

function bytesOf(frame: string | Uint8Array): Uint8Array {
  return typeof frame === 'string' ? Buffer.from(frame) : frame
}

function textOf(frame: string | Uint8Array): string {
  if (typeof frame === 'string') return frame
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString()
}
