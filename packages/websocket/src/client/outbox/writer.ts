/** The writer: hands the outbox's frames to the socket, one write a turn, as long as the socket takes them. */
import type { Frame } from '../../protocol/protocol.ts'

/** What the writer needs of a link. */
export interface WriterSocket {
  /** Bytes that were written and that the operating system has not taken yet. */
  readonly bufferedAmount: number
  /** The socket is gone. A `done` that comes now says nothing, even without an error. */
  readonly isDestroyed: boolean
  /** Sends one message. `done` is called once: the operating system took it, or with why it did not. */
  write(data: Frame, isBinary: boolean, done: (error?: Error | null) => void): void
  /** Holds back what is written until {@link uncork}, so that it leaves in one write. */
  cork(): void
  uncork(): void
}

/** Where messages come from. */
interface WriterSource {
  /** The next message; `undefined` when there is none to send now. */
  next(): Frame | undefined
  /** Whether bytes that it gives are text. */
  readonly isText: boolean
  /** The operating system took over the oldest message. */
  taken(): void
}

export interface WriterPorts {
  readonly source: WriterSource
  /** Bytes in the socket's own buffer above which nothing more is handed to it. */
  readonly highWaterMarkBytes: number
  /** A frame was not taken: the link is breaking, its close follows. */
  failed(error: Error): void
}

/** Never waits for the reader; holds no frame of its own. One connection at a time, many in a life. */
export class Writer {
  readonly #ports: WriterPorts
  #socket: WriterSocket | undefined
  /** One callback per connection, not per frame: `ws` calls back in the order of the frames. */
  #done: (error?: Error | null) => void = () => {}
  #scheduled = false
  #isSocketFull = false
  /** The socket refused a frame: the rest waits for the next one. */
  #isBroken = false

  constructor(ports: WriterPorts) {
    this.#ports = ports
  }

  /** Starts writing to this connection. */
  attach(socket: WriterSocket): void {
    this.#socket = socket
    this.#isSocketFull = false
    this.#isBroken = false
    this.#done = (error) => {
      // A dead connection's late callbacks say nothing about the live one.
      if (this.#socket !== socket) return
      const isTaken = (error === undefined || error === null) && !socket.isDestroyed
      if (isTaken) {
        this.#ports.source.taken()
        if (this.#isSocketFull) this.#checkRoom(socket)
      } else if (!this.#isBroken) {
        this.#isBroken = true
        this.#ports.failed(error ?? new Error('The socket was destroyed while it was written to'))
      }
    }
    this.wake()
  }

  /** Stops writing. What was not taken over is the outbox's again. */
  detach(): void {
    this.#socket = undefined
  }

  /** Something was added: writes at the end of this turn, with everything else that this turn adds. */
  wake(): void {
    if (this.#scheduled || this.#socket === undefined) return
    if (this.#isSocketFull || this.#isBroken) return
    this.#scheduled = true
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    const socket = this.#socket
    const { source } = this.#ports
    if (socket === undefined || this.#isBroken) return
    socket.cork()
    try {
      while (socket.bufferedAmount < this.#ports.highWaterMarkBytes) {
        const message = source.next()
        if (message === undefined) return
        socket.write(message, isBinary(message) && !source.isText, this.#done)
      }
      this.#isSocketFull = true
    } finally {
      socket.uncork()
    }
  }

  #checkRoom(socket: WriterSocket): void {
    // Half the mark, so that refilling does not start and stop with every frame.
    if (socket.bufferedAmount > this.#ports.highWaterMarkBytes / 2) return
    this.#isSocketFull = false
    this.wake()
  }
}

function isBinary(frame: Frame): boolean {
  return typeof frame !== 'string'
}
