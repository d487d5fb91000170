/** A watcher: subscribes to everything on a hub, and counts what it gets. */
import { frame, OPCODE, text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { RawPeer } from '../raw/raw-peer.ts'

export interface WatcherOptions {
  readonly port: number
  readonly target?: string
  readonly token?: string
  /** Settles what it gets. @default true */
  readonly settles?: boolean
}

/** Hears everything on the plain wire, and counts it. Ends with its run. */
export class PlainWatcher implements Disposable {
  readonly #peer: RawPeer
  readonly #from: number

  private constructor(peer: RawPeer) {
    this.#peer = peer
    this.#from = peer.transcript.length
  }

  static async start(port: number): Promise<PlainWatcher> {
    const peer = await RawPeer.dial(port)
    peer.write(handshake({ busV1: false }))
    await peer.until((entry) => entry.startsWith('HTTP'))
    return new PlainWatcher(peer)
  }

  /** Messages so far; bytes count as well. */
  get messages(): number {
    return this.#peer.transcript.length - this.#from
  }

  get isOver(): boolean {
    return this.#peer.isOver
  }

  [Symbol.dispose](): void {
    this.#peer[Symbol.dispose]()
  }
}

/** Ends with its run. */
export class Watcher implements Disposable {
  readonly #peer: RawPeer
  events = 0
  #fences = 0

  private constructor(peer: RawPeer) {
    this.#peer = peer
  }

  static async start({
    port,
    target = '/',
    token,
    settles = true,
  }: WatcherOptions): Promise<Watcher> {
    const peer: RawPeer = await RawPeer.dial(port, (entry) => {
      if (!/^[er]v /.test(entry)) return
      watcher.events++
      if (settles) peer.write(text(`ack ${Number.parseInt(entry.slice(3), 10)}`))
    })
    const watcher = new Watcher(peer)
    peer.write(handshake({ target }))
    await peer.until((entry) => entry.startsWith('HTTP'))
    const subs = [{ id: 1, pattern: '>', mode: settles ? 'amo' : 'alo' }]
    peer.write(text(hello({ subs, ...(token === undefined ? {} : { token }) })))
    await peer.until((entry) => entry.startsWith('welcome'))
    if (peer.isOver) throw new Error(`The watcher was not let in: ${peer.transcript.join(' | ')}`)
    return watcher
  }

  /** Everything that was sent to it until now has been counted. */
  async catchUp(): Promise<void> {
    const payload = `watcher ${this.#fences++}`
    const from = this.#peer.transcript.length
    this.#peer.write(frame({ opcode: OPCODE.ping, payload }))
    await this.#peer.until((entry) => entry === `pong ${payload}`, from)
  }

  get isOver(): boolean {
    return this.#peer.isOver
  }

  [Symbol.dispose](): void {
    this.#peer[Symbol.dispose]()
  }
}
