import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { systemClock } from '@bus/core/kit'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { Metering } from './metering.ts'
import { Relay } from './relay.ts'

const NO_RATE = { messages: Infinity, bytes: Infinity, controlFrames: Infinity }

/** A socket that keeps what it is given until it is flushed. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1
  readonly readyState = 1
  readonly isPaused = false
  bufferedAmount = 0
  readonly #callbacks: (() => void)[] = []

  send(data: Buffer, _options: unknown, callback: () => void): void {
    this.bufferedAmount += data.length
    this.#callbacks.push(callback)
  }

  flush(): void {
    this.bufferedAmount = 0
    for (const callback of this.#callbacks.splice(0)) callback()
  }

  pause(): void {}
  resume(): void {}
  close(): void {}
}

function setUp(): { readonly relay: Relay; readonly add: () => FakeSocket } {
  const relay = new Relay({
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
  return { relay, add }
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

  it('is full while a reader is above its mark', () => {
    const { relay, add } = setUp()
    const reader = add()
    relay.broadcast(Buffer.alloc(100))
    expect(relay.isFull).toBe(false)
    relay.broadcast(Buffer.alloc(1))
    expect(relay.isFull).toBe(true)
    reader.flush()
    expect(relay.isFull).toBe(false)
  })

  it('is no longer full when its only full reader has left', () => {
    const { relay, add } = setUp()
    add()
    const reader = add()
    reader.bufferedAmount = 100
    relay.broadcast(Buffer.alloc(1))
    expect(relay.isFull).toBe(true)
    reader.emit('close')
    expect(relay.isFull).toBe(false)
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
