/** A connection of the hub: one socket and what is counted of it, the same for both wires. */

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { closeSafely, isBadFrame } from '../socket/socket-port.ts'
import { KeepaliveState, type KeepaliveTarget } from './keepalive.ts'
import { Meter, type Excess, type Metered, type Metering } from './metering.ts'

const CONNECTION = Symbol('connection')

interface HubSocket extends WebSocket {
  [CONNECTION]?: HubConnection
}

/** All sockets share their listeners: a connection costs its socket one field, not a closure for each kind of event. */
export abstract class HubConnection implements Metered, KeepaliveTarget {
  /** It is closing, so what still comes in does not count. A field: it is read for each line. Set here only. */
  isOver = false
  readonly tcp: Duplex
  protected readonly ws: WebSocket
  protected readonly meter: Meter
  protected readonly keepalive: KeepaliveState = new KeepaliveState(this)
  /** Frames that came. */
  #frames = 0

  constructor(ws: WebSocket, tcp: Duplex, metering: Metering) {
    this.ws = ws
    this.tcp = tcp
    this.meter = new Meter(metering, this)
    const socket: HubSocket = ws
    socket[CONNECTION] = this
    ws.on('message', onMessage)
    ws.on('ping', onPing)
    ws.on('pong', onPong)
    ws.on('error', onError)
    ws.on('close', onClose)
  }

  /** Where it comes from; `undefined` once it is gone, or for what is no socket of the system. */
  get address(): string | undefined {
    return (this.tcp as Partial<Socket>).remoteAddress
  }

  /** Grows with every byte and every frame: what is no socket of the system does not count its bytes. */
  received(): number {
    const { bytesRead = 0 } = this.tcp as Partial<Socket>
    return this.#frames + bytesRead
  }

  /** Starts the closing handshake. Idempotent. */
  close(code: number, reason: string): void {
    if (this.isOver) return
    this.isOver = true
    closeSafely(this.ws, code, reason)
  }

  /** Cuts the connection. */
  terminate(): void {
    this.ws.terminate()
  }

  abstract exceededLimit(waitMs: number, what: Excess): void

  /** A message came. */
  onMessage(data: Buffer, isBinary: boolean): void {
    this.#frames++
    if (this.isOver || (this.meter.countsMessages && !this.meter.message(data.length))) return
    this.message(data, isBinary)
  }

  /** A ping or a pong came. */
  onControlFrame(): void {
    this.#frames++
    if (!this.isOver) this.meter.controlFrame()
  }

  onPong(payload: Buffer): void {
    this.keepalive.pong(payload.toString('latin1'))
    this.onControlFrame()
  }

  ping(payload: string): void {
    if (this.ws.readyState === this.ws.OPEN) this.ws.ping(payload)
  }

  /** A frame broke the rules of WebSocket or a limit, which ends the connection. */
  abstract onBadFrame(): void

  /** It has ended. Called once, also when it broke. @param code - of the close frame that came; 1006 without one */
  onClose(_code: number): void {
    this.isOver = true
  }

  /** A message of a connection that is not over, within its limits. */
  protected abstract message(data: Buffer, isBinary: boolean): void
}

function onMessage(this: HubSocket, data: RawData, isBinary: boolean): void {
  this[CONNECTION]?.onMessage(data as Buffer, isBinary)
}

function onPing(this: HubSocket): void {
  this[CONNECTION]?.onControlFrame()
}

function onPong(this: HubSocket, payload: Buffer): void {
  this[CONNECTION]?.onPong(payload)
}

function onError(this: HubSocket, error: Error): void {
  // What broke ends this connection only; `close` follows.
  if (isBadFrame(error)) this[CONNECTION]?.onBadFrame()
}

function onClose(this: HubSocket, code: number): void {
  this[CONNECTION]?.onClose(code)
}
