/** A peer: one connection of the hub, with what it still owes its reader. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { Meter, type Excess, type Metered, type Metering } from './metering.ts'
import { own, type SocketOwner } from './socket-owner.ts'

/** What peers tell. */
export interface PeerPorts {
  readonly highWaterMarkBytes: number
  readonly metering: Metering
  message(from: Peer, data: Buffer, isBinary: boolean): void
  /** More waits for this reader than the mark allows. */
  full(peer: Peer): void
  /** It took enough of it. */
  drained(peer: Peer): void
  relayed(): void
  /** A frame that the operating system never took, because the link broke. */
  lost(): void
  badFrame(): void
  closed(peer: Peer): void
}

/** Sends frames as they came; reads unless told to pause. */
export class Peer implements SocketOwner, Metered {
  readonly #ws: WebSocket
  readonly #ports: PeerPorts
  readonly #meter: Meter
  #isFull = false
  /** It sent too much: nothing of it counts any more. */
  #isEnded = false
  /** One callback per peer, not per frame. */
  readonly #done: (error?: Error | null) => void

  /** @param principal - who sends, where that is somebody with a name */
  constructor(ws: WebSocket, tcp: Duplex, principal: string | undefined, ports: PeerPorts) {
    this.#ws = ws
    this.#ports = ports
    this.#meter = new Meter(ports.metering, this)
    this.#meter.principal = principal
    this.#done = (error) => {
      // Node calls back a write that was under way when its socket was destroyed as if it had succeeded.
      if ((error === undefined || error === null) && !tcp.destroyed) ports.relayed()
      else ports.lost()
      if (this.#isFull && ws.bufferedAmount <= ports.highWaterMarkBytes / 2) this.#drained()
    }
    own(ws, this)
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#isEnded || !this.#meter.message(data.length)) return
    this.#ports.message(this, data, isBinary)
  }

  onBadFrame(): void {
    this.#ports.badFrame()
  }

  onPing(): void {
    if (!this.#isEnded) this.#meter.controlFrame()
  }

  onPong(): void {
    this.onPing()
  }

  sentTooMuch(_waitMs: number, what: Excess): void {
    this.#isEnded = true
    this.close(4429, what)
    // What more it sends is not even read; `ws` cuts it when its answer to the close is not seen in time.
    this.#ws.pause()
  }

  onClose(): void {
    if (this.#isFull) this.#drained()
    this.#ports.closed(this)
  }

  send(data: Buffer, isBinary: boolean): void {
    if (!this.#isOpen) {
      // On a socket that closes, ws would count the bytes as buffered and never take them off again.
      this.#ports.lost()
      return
    }
    this.#ws.send(data, { binary: isBinary }, this.#done)
    if (this.#isFull || this.#ws.bufferedAmount <= this.#ports.highWaterMarkBytes) return
    this.#isFull = true
    this.#ports.full(this)
  }

  /** Stops reading. A peer that closes is read on: it would not see the end otherwise. */
  pause(): void {
    if (this.#isOpen && !this.#ws.isPaused) this.#ws.pause()
  }

  resume(): void {
    if (this.#ws.isPaused) this.#ws.resume()
  }

  close(code: number, reason: string): void {
    // A paused socket would not see the answer.
    this.resume()
    this.#ws.close(code, reason)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  #drained(): void {
    this.#isFull = false
    this.#ports.drained(this)
  }
}
