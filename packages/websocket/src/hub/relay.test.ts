import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { systemClock } from '@bus/core/kit'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { FakeClock } from '../../test/fake-clock.ts'
import { KeepaliveScheduler } from './keepalive.ts'
import { Metering } from './metering.ts'
import { Relay } from './relay.ts'

const NO_RATE = { messages: Infinity, bytes: Infinity, controlFrames: Infinity }

/** A socket that keeps what it is given until it is flushed. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1
  readonly readyState = 1
  isPaused = false
  bufferedAmount = 0
  isTerminated = false
  readonly pings: string[] = []
  readonly #callbacks: (() => void)[] = []

  send(data: Buffer, _options: unknown, callback: () => void): void {
    this.bufferedAmount += data.length
    this.#callbacks.push(callback)
  }

  flush(): void {
    this.bufferedAmount = 0
    for (const callback of this.#callbacks.splice(0)) callback()
  }

  ping(payload: string): void {
    this.pings.push(payload)
  }

  terminate(): void {
    this.isTerminated = true
  }

  pause(): void {}
  resume(): void {}
  close(): void {}
}

function setUp(): {
  readonly relay: Relay
  readonly clock: FakeClock
  readonly add: () => FakeSocket
} {
  const clock = new FakeClock()
  const relay = new Relay({
    clock,
    keepalive: new KeepaliveScheduler({
      clock,
      random: () => 0,
      intervalMs: 100,
      defer: (run) => run(),
    }),
    maxFrameBytes: 50,
    framesPerSecond: 10,
    highWaterMarkBytes: 100,
    slowReaderMs: 60_000,
    metering: new Metering({ rate: NO_RATE, principalRate: NO_RATE, clock: systemClock }),
    onFrame: () => {},
    onRoom: () => {},
  })
  const add = (): FakeSocket => {
    const socket = new FakeSocket()
    relay.add(socket as unknown as WebSocket, new PassThrough(), { id: 'p' }, Infinity)
    return socket
  }
  return { relay, clock, add }
}

describe('the relay', () => {
  it('says that it has connections from the first connection to the end of the last', () => {
    const { relay, add } = setUp()
    expect(relay.hasPlainConnections).toBe(false)
    const [a, b] = [add(), add()]
    expect(relay.hasPlainConnections).toBe(true)
    a.emit('close')
    expect(relay.hasPlainConnections).toBe(true)
    b.emit('close')
    expect(relay.hasPlainConnections).toBe(false)
  })

  it('leaves a reader above its mark out of a broadcast, and makes no publisher wait for it', () => {
    const { relay, add } = setUp()
    const [reader, other] = [add(), add()]
    for (let i = 0; i < 3; i++) {
      relay.broadcast(Buffer.alloc(60))
      other.flush()
    }
    expect(relay.isFull).toBe(false)
    expect(reader.bufferedAmount).toBe(120)
    expect(relay.stats()).toMatchObject({ skipped: 1, relayed: 3 })
    reader.flush()
    relay.broadcast(Buffer.alloc(60))
    expect(reader.bufferedAmount).toBe(60)
    expect(relay.stats()).toMatchObject({ skipped: 1, relayed: 5 })
  })

  it('refuses frames that are too large, or more in a second than one may send', () => {
    const { relay, add, clock } = setUp()
    const [sender, reader] = [add(), add()]
    const send = (bytes: number): unknown => sender.emit('message', Buffer.alloc(bytes), false)
    send(51)
    for (let i = 0; i < 12; i++) send(1)
    expect(relay.stats()).toMatchObject({ received: 13, refused: 3 })
    expect(reader.bufferedAmount).toBe(10)
    clock.advance(1_000)
    send(50)
    expect(reader.bufferedAmount).toBe(60)
  })

  it('cuts a connection that no longer answers, but not one that it does not read', () => {
    const { add, clock } = setUp()
    const [dead, answering, paused] = [add(), add(), add()]
    paused.isPaused = true
    for (let i = 0; i < 8; i++) {
      clock.advance(100)
      answering.emit('pong', Buffer.from(answering.pings.at(-1) ?? ''))
    }
    expect([dead, answering, paused].map(({ isTerminated }) => isTerminated)).toEqual([
      true,
      false,
      false,
    ])
  })

  it('is full while sixty-four broadcasts have not reached all of many connections', () => {
    const { relay, add } = setUp()
    for (let i = 0; i < 513; i++) add()
    for (let i = 0; i < 63; i++) relay.broadcast(Buffer.alloc(1))
    expect(relay.isFull).toBe(false)
    relay.broadcast(Buffer.alloc(1))
    expect(relay.isFull).toBe(true)
    relay.closeAll(1001, '')
    expect(relay.isFull).toBe(false)
  })
})
