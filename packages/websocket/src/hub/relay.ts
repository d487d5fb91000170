/** The relay: every frame goes to every other peer, as fast as the slowest reader that is still alive. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { RelayStats } from './hub-stats.ts'
import { countedName, type Principal } from './bus-v1/admission/principal.ts'
import { FanOut } from './fan-out.ts'
import type { Metering } from './metering.ts'
import { Peer, type PeerPorts } from './peer.ts'

export interface RelayOptions {
  readonly highWaterMarkBytes: number
  readonly slowReaderMs: number
  readonly metering: Metering
  /** A frame came in. */
  readonly onFrame: (data: Buffer, isBinary: boolean) => void
  /** No reader is full any more. */
  readonly onRoom: () => void
}

/** Frames from the other wire that may wait for their turn. */
const MAX_BROADCASTS = 64

/** Whom a peer belongs to. */
interface Owner {
  readonly id: string
  readonly endsAt: number
}

/**
 * Keeps no frame of its own: what waits, waits in the readers' sockets, and then the senders wait.
 *
 * A full reader holds back everybody but itself: what it sends does not go to it, and a client that reads on only once
 * its own publish is through would wait for ever.
 */
export class Relay {
  readonly #options: RelayOptions
  /** The same for all peers. */
  readonly #ports: PeerPorts
  readonly #peers = new Map<Peer, Owner>()
  readonly #fanOut = new FanOut<Peer>(this.#peers, (from) => this.#onGiven(from))
  /** Frames of a peer that not everybody has yet. */
  readonly #underWay = new Map<Peer, number>()
  /** Readers above their mark, with the timer that ends their grace. */
  readonly #full = new Map<Peer, NodeJS.Timeout>()
  readonly #emptyWaiters: (() => void)[] = []
  #received = 0
  #relayed = 0
  #lost = 0
  #slowReaders = 0
  #badFrames = 0

  constructor(options: RelayOptions) {
    this.#options = options
    this.#ports = {
      highWaterMarkBytes: options.highWaterMarkBytes,
      metering: options.metering,
      message: (from, data, isBinary) => this.#relay(from, data, isBinary),
      full: (peer) => this.#onFull(peer),
      drained: (peer) => this.#onDrained(peer),
      relayed: () => this.#relayed++,
      lost: () => this.#lost++,
      badFrame: () => this.#badFrames++,
      closed: (peer) => this.#onClosed(peer),
    }
  }

  /** @param endsAt - when the credentials of the principal end, by the hub's clock */
  add(ws: WebSocket, tcp: Duplex, principal: Principal, endsAt: number): void {
    const peer = new Peer(ws, tcp, countedName(principal), this.#ports)
    this.#peers.set(peer, { id: principal.id, endsAt })
    this.#hold(peer)
  }

  get size(): number {
    return this.#peers.size
  }

  /** Whether some reader is above its mark, or too much waits for a turn, so that everybody should wait. */
  get isFull(): boolean {
    return this.#full.size > 0 || this.#fanOut.unowned >= MAX_BROADCASTS
  }

  /** Sends a text frame to every peer. */
  broadcast(data: Buffer): void {
    this.#fanOut.give(data, false, undefined)
  }

  stats(): RelayStats {
    return {
      connections: this.#peers.size,
      received: this.#received,
      relayed: this.#relayed,
      lost: this.#lost,
      slowReaders: this.#slowReaders,
      badFrames: this.#badFrames,
    }
  }

  closeAll(code: number, reason: string): void {
    this.#fanOut.flush()
    for (const peer of this.#peers.keys()) peer.close(code, reason)
  }

  closeAllOf(owner: string, code: number, reason: string): void {
    for (const [peer, { id }] of this.#peers) if (id === owner) peer.close(code, reason)
  }

  /** Closes the connections whose credentials ended a while ago; on this wire nobody can show fresh ones. */
  endExpired(now: number): void {
    for (const [peer, { endsAt }] of this.#peers) if (now >= endsAt) peer.close(4401, 'expired')
  }

  /** Resolves when no peer is left. */
  whenEmpty(): Promise<void> {
    if (this.#peers.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptyWaiters.push(resolve)
    })
  }

  #onClosed(peer: Peer): void {
    this.#peers.delete(peer)
    this.#underWay.delete(peer)
    if (this.#peers.size > 0) return
    for (const resolve of this.#emptyWaiters.splice(0)) resolve()
  }

  #relay(from: Peer, data: Buffer, isBinary: boolean): void {
    this.#received++
    if (!this.#fanOut.give(data, isBinary, from)) {
      this.#underWay.set(from, (this.#underWay.get(from) ?? 0) + 1)
      this.#hold(from)
    }
    this.#options.onFrame(data, isBinary)
  }

  #onGiven(from: Peer | undefined): void {
    const underWay = from && this.#underWay.get(from)
    if (from !== undefined && underWay !== undefined) {
      if (underWay > 1) this.#underWay.set(from, underWay - 1)
      else {
        this.#underWay.delete(from)
        this.#hold(from)
      }
    }
    if (!this.isFull) this.#options.onRoom()
  }

  #onFull(peer: Peer): void {
    const timer = setTimeout(() => {
      this.#slowReaders++
      peer.terminate()
    }, this.#options.slowReaderMs)
    this.#full.set(peer, timer)
    // With two, everybody waits already.
    if (this.#full.size <= 2) this.#holdSenders()
  }

  #onDrained(peer: Peer): void {
    clearTimeout(this.#full.get(peer))
    this.#full.delete(peer)
    if (this.#full.size < 2) this.#holdSenders()
    if (!this.isFull) this.#options.onRoom()
  }

  #holdSenders(): void {
    for (const sender of this.#peers.keys()) this.#hold(sender)
  }

  /** Reads from this peer unless another one is full, or has not had what this one sent. */
  #hold(peer: Peer): void {
    const others = this.#full.size - (this.#full.has(peer) ? 1 : 0)
    if (others > 0 || this.#underWay.has(peer)) peer.pause()
    else peer.resume()
  }
}
