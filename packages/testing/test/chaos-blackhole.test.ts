/** Links through the chaos proxy on which nothing passes, seen from both ends. */
import { describe, expect, test } from 'vitest'
import { ConfigError } from '@bus/core'
import type { BlackholeOptions, LinkDirection } from '../src/chaos/index.ts'
import { FakeClock } from '../src/fake-clock.ts'
import { ChaosWorld } from './chaos-world.ts'
import { dial, type End } from './tcp-ends.ts'

const WAYS = ['upstream', 'downstream'] as const
const CHUNK = Buffer.alloc(1_048_576, 'x')

/** Who speaks and who hears, in this direction. */
function ends(world: ChaosWorld, way: LinkDirection): [from: End, to: End] {
  return way === 'upstream' ? [world.client, world.far] : [world.far, world.client]
}

/** Resolves when other bytes made the way through the proxy and back, so what had come before was read. */
async function roundTrip(world: ChaosWorld): Promise<void> {
  const before = world.server.ends.length
  using client = await dial(world.proxy.port)
  const far = await world.server.end(before)
  for (let i = 0; i < 3; i++) {
    const seen = far.bytes.length
    client.socket.write('ping')
    await far.until('the ping', () => far.bytes.length === seen + 4)
    const heard = client.bytes.length
    far.socket.write('pong')
    await client.until('the pong', () => client.bytes.length === heard + 4)
  }
}

/** Writes until nobody takes more. @returns the bytes that were written */
async function fill(world: ChaosWorld, from: End): Promise<number> {
  let sent = 0
  while (from.socket.writableLength < 4 * CHUNK.length) {
    from.socket.write(CHUNK)
    sent += CHUNK.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  await roundTrip(world)
  return sent
}

describe.each(WAYS)('a blackhole %s', (direction) => {
  const other = direction === 'upstream' ? 'downstream' : 'upstream'

  test('holds what is sent, and its mending passes all of it on, in order', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction })
    from.socket.write('one')
    await roundTrip(world)
    from.socket.write('two')
    await roundTrip(world)
    expect(to.text).toBe('')
    expect(world.link.passed[direction]).toBe(0)
    world.link.heal(direction)
    await to.until('the bytes', () => to.text === 'onetwo')
    from.socket.write('three')
    await to.until('the rest', () => to.text === 'onetwothree')
    expect(world.link).toMatchObject({ isOpen: true, fault: undefined })
  })

  test('leaves the other direction alone', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, other)
    world.link.blackhole({ direction })
    from.socket.write('through')
    await to.until('the bytes', () => to.text === 'through')
    world.link.heal(other)
    ends(world, direction)[0].socket.write('stuck')
    await roundTrip(world)
    expect(world.link.passed[direction]).toBe(0)
  })

  test('holds a sender back, and loses nothing of what it sent', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction })
    const sent = await fill(world, from)
    expect(world.link.passed[direction]).toBe(0)
    expect(from.socket.writableLength).toBeGreaterThanOrEqual(4 * CHUNK.length)
    world.link.heal()
    await to.until('everything', () => world.link.passed[direction] === sent)
  })

  test('hides an end that hangs up, until it is mended', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction })
    from.socket.end('last words')
    await roundTrip(world)
    expect(to).toMatchObject({ hasEnded: false, text: '' })
    world.link.heal()
    await to.until('the end', () => to.hasEnded)
    expect(to.text).toBe('last words')
    expect(to.error).toBeUndefined()
  })

  test('hides an end that breaks, which resets the other when it is mended', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction })
    from.socket.resetAndDestroy()
    await roundTrip(world)
    expect(to).toMatchObject({ hasEnded: false, isClosed: false })
    expect(world.link.isOpen).toBe(true)
    to.socket.write('is anybody there?')
    await roundTrip(world)
    expect(world.link.passed[other]).toBe(0)
    world.link.heal()
    await to.until('a close', () => to.isClosed)
    expect(to.error).toBe('ECONNRESET')
    expect(world.link).toMatchObject({ isOpen: false, fault: undefined })
  })

  test('that discards takes everything, and resets both ends when it is mended', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction, bytes: 'discard' })
    for (let i = 0; i < 16; i++) from.socket.write(CHUNK)
    await new Promise((resolve) => from.socket.write('the last', resolve))
    expect(from.socket.writableLength).toBe(0)
    expect(world.link.passed[direction]).toBe(0)
    await roundTrip(world)
    expect(to).toMatchObject({ isClosed: false, text: '' })
    world.link.heal()
    await from.until('a close', () => from.isClosed)
    await to.until('a close', () => to.isClosed)
    expect([from.error, to.error]).toEqual(['ECONNRESET', 'ECONNRESET'])
    expect(world.proxy.stats().broken.reset).toBe(1)
  })

  test('that discards loses a FIN too', async () => {
    await using world = await ChaosWorld.start()
    const [from, to] = ends(world, direction)
    world.link.blackhole({ direction, bytes: 'discard' })
    from.socket.end()
    await roundTrip(world)
    expect(to.hasEnded).toBe(false)
    world.link.heal()
    await to.until('a close', () => to.isClosed)
    expect(to.error).toBe('ECONNRESET')
  })

  test('can be torn', async () => {
    await using world = await ChaosWorld.start()
    world.proxy.blackhole({ direction })
    ends(world, direction)[0].socket.write('lost')
    world.proxy.reset()
    await world.client.until('a close', () => world.client.isClosed)
    await world.far.until('a close', () => world.far.isClosed)
    expect([world.client.error, world.far.error]).toEqual(['ECONNRESET', 'ECONNRESET'])
    expect(world.proxy.heal()).toBe(0)
  })
})

test('a link that lost nothing goes on after a blackhole that discards', async () => {
  await using world = await ChaosWorld.start()
  world.link.blackhole({ bytes: 'discard' })
  world.link.heal()
  world.client.socket.write('hello')
  await world.far.until('the bytes', () => world.far.text === 'hello')
  expect(world.link.isOpen).toBe(true)
})

test('a blackhole of the proxy covers open links and those to come, until it is mended', async () => {
  await using world = await ChaosWorld.start()
  expect(world.proxy.blackhole()).toBe(1)
  world.client.socket.write('old')
  using second = await dial(world.proxy.port)
  const far = await world.server.end(1)
  second.socket.write('new')
  far.socket.write('answer')
  expect(second.error).toBeUndefined()
  expect(world.proxy.stats().passed).toEqual({ upstream: 0, downstream: 0 })
  expect(world.proxy.heal()).toBe(2)
  await world.far.until('the bytes', () => world.far.text === 'old')
  await far.until('the bytes', () => far.text === 'new')
  await second.until('the answer', () => second.text === 'answer')
  await roundTrip(world)
})

test('a heal ends a hole before its time', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  world.link.hole(1_000)
  world.client.socket.write('early')
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
  world.link.heal()
  await world.far.until('the bytes', () => world.far.text === 'early')
  expect(clock.pending).toBe(0)
})

test('a hole hides an end that breaks or hangs up for its time', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  using second = await dial(world.proxy.port)
  const far = await world.server.end(1)
  world.proxy.hole(30)
  world.client.socket.end()
  second.socket.resetAndDestroy()
  while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(29)
  await new Promise((resolve) => setImmediate(resolve))
  expect([world.far.hasEnded, far.isClosed]).toEqual([false, false])
  clock.advance(1)
  await world.far.until('the end', () => world.far.hasEnded)
  await far.until('a close', () => far.isClosed)
  expect([world.far.error, far.error]).toEqual([undefined, 'ECONNRESET'])
})

test('a hanging proxy accepts, says nothing, and leaves open links alone', async () => {
  await using world = await ChaosWorld.start()
  world.proxy.hang()
  using waiting = await dial(world.proxy.port)
  waiting.socket.write('GET / HTTP/1.1\r\n\r\n')
  world.client.socket.write('still here')
  await world.far.until('the bytes', () => world.far.text === 'still here')
  expect(waiting).toMatchObject({ error: undefined, hasEnded: false, text: '' })
  expect(world.server.ends).toHaveLength(1)
  expect(world.proxy.stats().links).toBe(1)
  world.proxy.heal('upstream')
  expect(waiting.isClosed).toBe(false)
  world.proxy.heal()
  await waiting.until('a close', () => waiting.isClosed)
  expect(waiting.error).toBe('ECONNRESET')
  await roundTrip(world)
})

test('closing lets go of those that hang and of links in a blackhole', async () => {
  await using world = await ChaosWorld.start()
  world.proxy.blackhole()
  world.proxy.hang()
  using waiting = await dial(world.proxy.port)
  await world.proxy.close()
  for (const end of [world.client, world.far, waiting]) {
    await end.until('the end', () => end.hasEnded || end.isClosed)
  }
  expect(world.proxy.links).toEqual([])
})

test.each([
  ['direction', { direction: 'sideways' }],
  ['bytes', { bytes: 'eat' }],
  ['byte', { byte: 'hold' }],
])('a wrong %s of a blackhole is refused by name', async (path, wrong) => {
  await using world = await ChaosWorld.start()
  const options = wrong as unknown as BlackholeOptions
  for (const act of [
    () => world.link.blackhole(options),
    () => void world.proxy.blackhole(options),
  ]) {
    expect(act).toThrow(ConfigError)
    expect(act).toThrow(expect.objectContaining({ path }) as Error)
  }
})
