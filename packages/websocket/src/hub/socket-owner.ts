/** The owner of a socket: hears what happens on it, through listeners that all sockets of a hub share. */
import type { RawData, WebSocket } from 'ws'
import { isBadFrame } from '../socket/socket-port.ts'

/** Who has a socket. */
export interface SocketOwner {
  onMessage(data: Buffer, isBinary: boolean): void
  onPing?(): void
  onPong?(payload: Buffer): void
  /** A frame broke the rules or a limit, which ends the connection. */
  onBadFrame(): void
  /** It is over. Told once, also when it broke. */
  onClose(): void
}

const OWNER = Symbol('owner')

interface OwnedSocket extends WebSocket {
  [OWNER]?: SocketOwner
}

/** Makes somebody the owner of a socket that has none. A socket thereby costs one field, not a closure for each event. */
export function own(ws: WebSocket, owner: SocketOwner): void {
  const owned: OwnedSocket = ws
  owned[OWNER] = owner
  ws.on('message', tellMessage)
  if (owner.onPing !== undefined) ws.on('ping', tellPing)
  if (owner.onPong !== undefined) ws.on('pong', tellPong)
  // What broke ends this connection only; `close` follows.
  ws.on('error', tellError)
  ws.on('close', tellClose)
}

function tellMessage(this: OwnedSocket, data: RawData, isBinary: boolean): void {
  this[OWNER]?.onMessage(data as Buffer, isBinary)
}

function tellPing(this: OwnedSocket): void {
  this[OWNER]?.onPing?.()
}

function tellPong(this: OwnedSocket, payload: Buffer): void {
  this[OWNER]?.onPong?.(payload)
}

function tellClose(this: OwnedSocket): void {
  this[OWNER]?.onClose()
}

function tellError(this: OwnedSocket, error: Error): void {
  if (isBadFrame(error)) this[OWNER]?.onBadFrame()
}
