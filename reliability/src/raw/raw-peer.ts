/** A peer that writes its own bytes, and keeps a transcript of everything that it receives. */
import { connect, type Socket } from 'node:net'
import { OPCODE, readFrame, type HeardFrame } from './frame.ts'

/** Milliseconds that a peer waits for anything. */
const DEADLINE_MS = 10_000

/** What ends a transcript, apart from a refusal in HTTP. */
const LAST_WORDS = /^(close |end$|reset$)/

/**
 * One TCP connection. The transcript holds `HTTP <status>` (of a 101 also the subprotocol), every line of every message, `binary`,
 * `pong <payload>`, `close <code> <reason>`, and `end` or `reset` when TCP ends.
 */
export class RawPeer implements Disposable {
  readonly transcript: string[] = []
  /** Everything that came, as it came. */
  readonly chunks: Buffer[] = []
  readonly #socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #isUpgraded = false
  #isOver = false
  readonly #onEntry: (entry: string) => void
  #waiter: (() => void) | undefined

  private constructor(socket: Socket, onEntry: (entry: string) => void) {
    this.#socket = socket
    this.#onEntry = onEntry
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('end', () => {
      this.#note('end')
      this.#waiter?.()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // What the other side does not read any more is no news.
      if (error.code === 'ECONNRESET') this.#note('reset')
      this.#waiter?.()
    })
    socket.on('close', () => this.#waiter?.())
  }

  /** Connects without a word. @param onEntry - hears each entry of the transcript */
  static async dial(port: number, onEntry: (entry: string) => void = () => {}): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const peer = new RawPeer(socket, onEntry)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return peer
  }

  /** The other side has said its last word. */
  get isOver(): boolean {
    return this.#socket.destroyed || this.#isOver
  }

  write(bytes: string | Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  /**
   * Waits until the transcript has an entry like this behind `from`, or is over.
   *
   * @returns whether it came to either in time
   */
  async until(
    isIt: (entry: string) => boolean,
    from: number = 0,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<boolean> {
    const endsAt = performance.now() + deadlineMs
    while (!this.transcript.slice(from).some(isIt) && !this.isOver) {
      const leftMs = endsAt - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#waiter = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return true
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#isUpgraded) this.#readHead()
    if (this.#isUpgraded) this.#readFrames()
    this.#waiter?.()
  }

  #readHead(): void {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1 || this.transcript.length > 0) return
    const head = this.#rest.toString('latin1', 0, end)
    const status = head.split(' ', 2)[1] ?? ''
    this.#isUpgraded = status === '101'
    const chosen = /^sec-websocket-protocol: *(.*)$/im.exec(head)?.[1] ?? 'plain'
    this.#note(this.#isUpgraded ? `HTTP 101 ${chosen}` : `HTTP ${status}`)
    this.#rest = this.#rest.subarray(end + 4)
  }

  #readFrames(): void {
    let at = 0
    for (let next = readFrame(this.#rest, at); next; next = readFrame(this.#rest, at)) {
      this.#hear(next.frame)
      at = next.to
    }
    this.#rest = this.#rest.subarray(at)
  }

  #hear({ opcode, payload }: HeardFrame): void {
    if (opcode === OPCODE.text) {
      for (const line of payload.toString().split('\n')) this.#note(line)
    } else if (opcode === OPCODE.pong) this.#note(`pong ${payload.toString('latin1')}`)
    else if (opcode === OPCODE.close) {
      const code = payload.length < 2 ? 1005 : payload.readUInt16BE()
      this.#note(`close ${code} ${payload.toString('utf8', 2)}`.trimEnd())
    } else if (opcode !== OPCODE.ping) this.#note(opcode === OPCODE.binary ? 'binary' : 'frame')
  }

  #note(entry: string): void {
    this.transcript.push(entry)
    this.#isOver ||= LAST_WORDS.test(entry)
    this.#onEntry(entry)
  }
}
