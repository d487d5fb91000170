/** The writer: hands messages to the socket of a link, in one write per turn of the event loop, while the socket takes them. */
import type { Frame, WriterSource } from '../../protocol/protocol.ts'

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

export interface WriterPorts {
  /** Bytes in the socket's own buffer above which nothing more is handed to it. */
  readonly highWaterMarkBytes: number
  /** A frame was not taken: the link is breaking, its close follows. */
  failed(error: Error): void
}

/** Never waits for the reader; holds no frame of its own. One link at a time, many in its life. */
export class Writer {
  readonly #ports: WriterPorts
  #socket: WriterSocket | undefined
  #source: WriterSource | undefined
  /** One callback per link, not per frame: `ws` calls back in the order of the frames. */
  #done: (error?: Error | null) => void = () => {}
  #isScheduled = false
  #isSocketFull = false
  /** The socket refused a frame: the rest waits for the next link. */
  #isBroken = false

  constructor(ports: WriterPorts) {
    this.#ports = ports
  }

  /** Starts writing what this source gives to this socket. */
  attach(socket: WriterSocket, source: WriterSource): void {
    this.#socket = socket
    this.#source = source
    this.#isSocketFull = false
    this.#isBroken = false
    this.#done = (error) => {
      // Late callbacks of a dead link say nothing about the live one.
      if (this.#socket !== socket) return
      const isTaken = (error === undefined || error === null) && !socket.isDestroyed
      if (isTaken) {
        source.taken()
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
    this.#source = undefined
  }

  /** There may be something to write: it is written at the end of this turn, with all else that this turn adds. */
  wake(): void {
    if (this.#isScheduled || this.#socket === undefined) return
    if (this.#isSocketFull || this.#isBroken) return
    this.#isScheduled = true
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isScheduled = false
    const socket = this.#socket
    const source = this.#source
    if (socket === undefined || source === undefined || this.#isBroken) return
    socket.cork()
    try {
      while (socket.bufferedAmount < this.#ports.highWaterMarkBytes) {
        const message = source.next()
        if (message === undefined) return
        socket.write(message, typeof message !== 'string' && !source.isText, this.#done)
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
