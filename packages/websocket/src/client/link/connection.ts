/** One physical WebSocket connection, from the first listener to `close`. It never reconnects. */

import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Frame } from '../../protocol/protocol.ts'
import { isBadFrame, type SocketPort } from '../../socket/socket-port.ts'
import type { SocketBytes, TrafficPort } from '../frames/frame-tap.ts'

/** How a connection ended. */
export interface CloseInfo {
  /** The close code received; 1006 when the link broke without one. */
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
  readonly initiatedBy: 'local' | 'remote'
  /** What broke, where there was an error. */
  readonly error: Error | undefined
}

/** What a connection tells its owner. Each call happens on the owner's current turn, `closed` exactly once and last. */
export interface ConnectionListener {
  /** A binary message, or a text message that came before there was an owner. */
  frame(frame: Frame): void
  /** A text message, as the bytes that it came in. */
  text(bytes: Buffer): void
  /** Any sign of life: data, ping or pong. */
  activity(): void
  pong(payload: string): void
  closed(info: CloseInfo): void
}

const NO_OWNER: ConnectionListener = {
  frame: () => {},
  text: () => {},
  activity: () => {},
  pong: () => {},
  closed: () => {},
}

/** Wraps an open or opening `ws` socket. All of its listeners are attached here, once, and never removed. */
export class Connection implements SocketPort {
  readonly #ws: WebSocket
  #tcp: Socket | undefined
  #listener: ConnectionListener = NO_OWNER
  /** Frames that came before there was an owner, in order. */
  readonly #early: Frame[] = []
  #error: Error | undefined
  #closedLocally = false
  #closeInfo: CloseInfo | undefined
  #traffic: TrafficPort | undefined
  /** Sees all that goes over it. */
  readonly #watch: ConnectionWatch | undefined

  constructor(ws: WebSocket, watch?: ConnectionWatch) {
    this.#ws = ws
    this.#watch = watch
    if (watch !== undefined) ws.on('open', () => watch.opened(ws.protocol))
    ws.on('upgrade', (response) => {
      this.#tcp = response.socket
    })
    // Without an error listener a bad frame would end the process; `close` always follows.
    ws.on('error', (error) => {
      this.#error ??= error
      // By the time that ws tells of a bad frame it has begun to close because of it.
      if (isBadFrame(error)) this.#closedLocally = true
    })
    ws.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary))
    ws.on('ping', (data) => {
      watch?.control('in', 'ping', data)
      // It was answered by ws.
      watch?.control('out', 'pong', data)
      this.#listener.activity()
    })
    ws.on('pong', (data) => {
      watch?.control('in', 'pong', data)
      this.#listener.activity()
      this.#listener.pong(data.toString())
    })
    ws.on('close', (code, reason) => this.#onClose(code, reason.toString()))
  }

  /** The negotiated subprotocol; empty where there is none. */
  get subprotocol(): string {
    return this.#ws.protocol
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount
  }

  /** Bytes that went through the socket so far, headers and the handshake included. */
  get bytes(): SocketBytes {
    const tcp = this.#tcp
    return { sent: tcp?.bytesWritten ?? 0, received: tcp?.bytesRead ?? 0 }
  }

  /** Tells of what is sent from now on. */
  measure(traffic: TrafficPort): void {
    this.#traffic = traffic
  }

  get isDestroyed(): boolean {
    return this.#tcp?.destroyed === true
  }

  get closeInfo(): CloseInfo | undefined {
    return this.#closeInfo
  }

  /**
   * Hands the connection to its owner, with every frame that came before and, if it is over, its end. Not in this
   * call but right after it: a greeting that came along with the handshake finds the one who waits for it.
   */
  attach(listener: ConnectionListener): void {
    queueMicrotask(() => {
      this.#listener = listener
      for (const frame of this.#early.splice(0)) {
        listener.activity()
        listener.frame(frame)
      }
      if (this.#closeInfo !== undefined) listener.closed(this.#closeInfo)
    })
  }

  send(data: Frame, binary: boolean, done: (error?: Error | null) => void): void {
    if (this.#traffic?.isWatched === true) this.#traffic.sent(data, binary)
    this.#watch?.message('out', data, binary)
    this.#ws.send(data, { binary }, done)
  }

  ping(payload: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return
    this.#watch?.control('out', 'ping', payload)
    this.#ws.ping(payload)
  }

  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#ws.resume()
  }

  cork(): void {
    this.#tcp?.cork()
  }

  uncork(): void {
    this.#tcp?.uncork()
  }

  close(code: number, reason: string): void {
    this.#markLocal()
    // A paused socket would never see the answer to the close frame.
    if (this.#ws.isPaused) this.#ws.resume()
    if (this.#ws.readyState === this.#ws.OPEN) this.#watch?.closing(code, reason)
    this.#ws.close(code, reason)
  }

  /** Ends the link at once, without a closing handshake. */
  terminate(): void {
    this.#markLocal()
    if (this.#ws.isPaused) this.#ws.resume()
    this.#ws.terminate()
  }

  /** An end that the other side has begun stays its own, although we answer it. */
  #markLocal(): void {
    if (this.#ws.readyState <= this.#ws.OPEN) this.#closedLocally = true
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#watch?.message('in', data, isBinary)
    if (this.#listener === NO_OWNER) {
      this.#early.push(isBinary ? data : data.toString())
      return
    }
    this.#listener.activity()
    if (isBinary) this.#listener.frame(data)
    else this.#listener.text(data)
  }

  #onClose(code: number, reason: string): void {
    this.#closeInfo = {
      code,
      reason,
      wasClean: code !== 1006 && this.#error === undefined,
      initiatedBy: this.#closedLocally ? 'local' : 'remote',
      error: this.#error,
    }
    this.#watch?.closed(this.#closeInfo)
    this.#listener.closed(this.#closeInfo)
  }
}

/** Whether something came or was sent. */
export type WatchDirection = 'in' | 'out'

/** How it ended. */
export interface WatchedEnd {
  /** 1006 where the link broke without a close frame. */
  readonly code: number
  readonly reason: string
  readonly initiatedBy: 'local' | 'remote'
}

/** One per connection. None of its members throws or keeps what it is given: bytes belong to the connection. */
export interface ConnectionWatch {
  /** The handshake succeeded. */
  opened(protocol: string): void
  message(direction: WatchDirection, data: Frame, isBinary: boolean): void
  control(direction: WatchDirection, kind: 'ping' | 'pong', payload: Frame): void
  /** We send a close frame. */
  closing(code: number, reason: string): void
  /** It is over, also when it was never open. */
  closed(end: WatchedEnd): void
}
