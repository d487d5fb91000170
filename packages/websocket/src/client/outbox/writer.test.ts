import { describe, expect, test } from 'vitest'
import { Writer, type WriterSocket } from './writer.ts'

type Done = (error?: Error | null) => void

/** A socket that takes frames over when told to. */
class FakeSocket implements WriterSocket {
  readonly sent: string[] = []
  readonly pending: Done[] = []
  bufferedAmount = 0
  isDestroyed = false
  corks = 0
  uncorks = 0

  write(data: string | Uint8Array, binary: boolean, done: Done): void {
    this.sent.push(`${binary ? 'binary' : 'text'} ${Buffer.from(data as string).toString()}`)
    this.bufferedAmount += data.length
    this.pending.push(done)
  }

  /** Takes everything over. */
  flush(error?: Error): void {
    this.bufferedAmount = 0
    for (const done of this.pending.splice(0)) done(error)
  }

  cork(): void {
    this.corks++
  }

  uncork(): void {
    this.uncorks++
  }
}

function setUp(highWaterMarkBytes = 100) {
  const waiting: (string | Uint8Array)[] = []
  const failures: Error[] = []
  let taken = 0
  const source = { isText: false, next: () => waiting.shift(), taken: () => taken++ }
  const inner = new Writer({ highWaterMarkBytes, failed: (error) => failures.push(error) })
  const writer = {
    attach: (socket: WriterSocket): void => inner.attach(socket, source),
    detach: (): void => inner.detach(),
  }
  const add = (frame: string | Uint8Array): void => {
    waiting.push(frame)
    inner.wake()
  }
  const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))
  return { writer, add, turn, waiting, failures, taken: () => taken }
}

describe('the writer', () => {
  test('hands everything of a turn to the socket in one corked write, text as text and bytes as bytes', async () => {
    const { writer, add, turn, taken } = setUp()
    const socket = new FakeSocket()
    writer.attach(socket)
    add('one')
    add(Buffer.from('two'))
    expect(socket.sent).toEqual([])
    await turn()
    expect(socket.sent).toEqual(['text one', 'binary two'])
    expect([socket.corks, socket.uncorks]).toEqual([1, 1])
    expect(taken()).toBe(0)
    socket.flush()
    expect(taken()).toBe(2)
  })

  test('stops above the high-water mark, and goes on when half of it is free', async () => {
    const { writer, add, turn } = setUp(10)
    const socket = new FakeSocket()
    writer.attach(socket)
    for (const frame of ['123456', '789012', 'third', 'fourth']) add(frame)
    await turn()
    expect(socket.sent).toHaveLength(2)
    add('fifth')
    await turn()
    expect(socket.sent).toHaveLength(2)
    const [first] = socket.pending.splice(0, 1)
    socket.bufferedAmount = 6
    first?.()
    await turn()
    expect(socket.sent).toHaveLength(2)
    socket.flush()
    await turn()
    expect(socket.sent).toHaveLength(4)
  })

  test('writes nothing without a socket, and everything that waited to the next one', async () => {
    const { writer, add, turn } = setUp()
    add('early')
    await turn()
    const socket = new FakeSocket()
    writer.attach(socket)
    await turn()
    expect(socket.sent).toEqual(['text early'])
    writer.detach()
    add('late')
    await turn()
    expect(socket.sent).toHaveLength(1)
    const second = new FakeSocket()
    writer.attach(second)
    await turn()
    expect(second.sent).toEqual(['text late'])
  })

  test('ignores what a socket says that is not its own any more', async () => {
    const { writer, add, turn, taken, failures } = setUp()
    const old = new FakeSocket()
    writer.attach(old)
    add('one')
    await turn()
    writer.attach(new FakeSocket())
    old.flush()
    old.flush(new Error('late'))
    expect(taken()).toBe(0)
    expect(failures).toEqual([])
  })

  test('tells of a failure once and hands a broken socket nothing more', async () => {
    const { writer, add, turn, failures, waiting, taken } = setUp()
    const socket = new FakeSocket()
    writer.attach(socket)
    add('one')
    add('two')
    await turn()
    socket.flush(new Error('broken'))
    expect(failures).toEqual([new Error('broken')])
    add('three')
    await turn()
    expect(socket.sent).toHaveLength(2)
    expect(waiting).toHaveLength(1)
    expect(taken()).toBe(0)
    const next = new FakeSocket()
    writer.attach(next)
    await turn()
    expect(next.sent).toEqual(['text three'])
  })

  test('does not take the word of a socket that was destroyed', async () => {
    const { writer, add, turn, failures, taken } = setUp()
    const socket = new FakeSocket()
    writer.attach(socket)
    add('one')
    await turn()
    socket.isDestroyed = true
    socket.flush()
    expect(taken()).toBe(0)
    expect(failures).toHaveLength(1)
  })
})
