/** What the chaos proxy slows down, on a clock that the test advances. */
import { expect, test } from 'vitest'
import { seededRandom, type LinkDirection } from '../src/chaos/index.ts'
import { ChaosWorld } from './chaos-world.ts'
import { FakeClock } from '../src/fake-clock.ts'
import { dial, type End } from './tcp-ends.ts'

const EVERYTHING = 60_000

/** Resolves when the proxy has read what was sent and waits for its time. */
async function armed(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
}

const WAYS = ['upstream', 'downstream'] as const

/** Who speaks and who hears, in this direction. */
function ends(world: ChaosWorld, way: LinkDirection): [from: End, to: End] {
  return way === 'upstream' ? [world.client, world.far] : [world.far, world.client]
}

/** The sizes of the pieces in which so many bytes were passed on. */
async function slicesOf(seed: number, way: LinkDirection = 'upstream'): Promise<number[]> {
  const sizes: number[] = []
  await using world = await ChaosWorld.start({
    seed,
    onBytes: (_link, bytes) => sizes.push(bytes.length),
  })
  world.proxy.setConditions({ sliceBytes: 5 }, way)
  const [from, to] = ends(world, way)
  from.socket.write('x'.repeat(100))
  await to.until('everything', () => to.bytes.length === 100)
  return sizes
}

/** When the first byte of each link would pass, by the jitter of this seed. */
async function jittersOf(seed: number, way: LinkDirection): Promise<number[]> {
  const delays: number[] = []
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock, seed })
  world.proxy.setConditions({ jitterMs: 1_000 }, way)
  const [from, to] = ends(world, way)
  for (let n = 1; n <= 5; n++) {
    from.socket.write('x')
    await armed(clock)
    delays.push(clock.nextIn)
    clock.advance(EVERYTHING)
    await to.until('the byte', () => to.bytes.length === n)
  }
  return delays
}

test.each(WAYS)('a delay %s holds bytes back for its time, and not the other way', async (way) => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  const [from, to] = ends(world, way)
  world.proxy.setConditions({ delayMs: 50 }, way)
  to.socket.write('at once')
  await from.until('the bytes', () => from.text === 'at once')
  from.socket.write('later')
  await armed(clock)
  expect(clock.nextIn).toBe(50)
  clock.advance(49)
  expect(world.proxy.stats().passed[way]).toBe(0)
  clock.advance(1)
  await to.until('the bytes', () => to.text === 'later')
})

test('conditions without a direction is those of both, and of links to come', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  world.proxy.setConditions({ delayMs: 50 })
  for (const end of [world.client, world.far]) {
    end.socket.write('x')
    await armed(clock)
    clock.advance(EVERYTHING)
  }
  await world.client.until('the bytes', () => world.client.text === 'x')
  world.proxy.reset()
  world.proxy.setConditions({ delayMs: 70 })
  using next = await dial(world.proxy.port)
  next.socket.write('y')
  await armed(clock)
  expect(clock.nextIn).toBe(70)
  world.proxy.setConditions({})
})

test('jitter adds a random part to the delay, and nothing overtakes', async () => {
  const clock = new FakeClock()
  const seed = 5
  await using world = await ChaosWorld.start({ clock, seed })
  world.proxy.setConditions({ delayMs: 10, jitterMs: 1_000, sliceBytes: 1 }, 'upstream')
  world.client.socket.write('abcdefghij')
  await armed(clock)
  expect(clock.nextIn).toBeGreaterThan(10)
  expect(clock.nextIn).toBeLessThan(1_010)
  while (world.far.text.length < 10) {
    clock.advance(EVERYTHING)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(world.far.text).toBe('abcdefghij')
})

test('a hole stops everything for its time, and what came meanwhile follows in order', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  world.proxy.hole(30)
  for (const end of [world.client, world.far] satisfies End[]) {
    end.socket.write('one')
    await armed(clock)
    end.socket.write('two')
  }
  clock.advance(29)
  expect(world.proxy.stats().passed).toEqual({ upstream: 0, downstream: 0 })
  clock.advance(1)
  await world.far.until('the bytes', () => world.far.text === 'onetwo')
  await world.client.until('the bytes', () => world.client.text === 'onetwo')
})

test('a hole may be in one direction', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  world.link.hole(30, 'downstream')
  world.client.socket.write('through')
  await world.far.until('the bytes', () => world.far.text === 'through')
  world.far.socket.write('stuck')
  await armed(clock)
  expect(world.client.text).toBe('')
})

test.each(WAYS)('bandwidth limits how fast bytes pass %s', async (way) => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  const [from, to] = ends(world, way)
  world.proxy.setConditions({ bytesPerSecond: 1_000 }, way)
  from.socket.write('x'.repeat(500))
  await armed(clock)
  expect(clock.nextIn).toBe(500)
  clock.advance(500)
  await to.until('the bytes', () => to.bytes.length === 500)
})

test.each(WAYS)(
  'an end %s comes later than the last bytes, and the other may go on talking',
  async (way) => {
    const clock = new FakeClock()
    await using world = await ChaosWorld.start({ clock })
    const [from, to] = ends(world, way)
    world.link.setConditions({ closeDelayMs: 500 }, way)
    from.socket.end('last words')
    await to.until('the bytes', () => to.text === 'last words')
    await armed(clock)
    expect(clock.nextIn).toBe(500)
    to.socket.write('heard')
    await from.until('the answer', () => from.text === 'heard')
    clock.advance(499)
    expect(to.hasEnded).toBe(false)
    clock.advance(1)
    await to.until('the end', () => to.hasEnded)
    expect(to.error).toBeUndefined()
    // The other direction is not slow.
    to.socket.end()
    await from.until('the end', () => from.hasEnded)
    expect(clock.pending).toBe(0)
  },
)

test('an end is late like everything else, and a slow one comes on top', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  world.proxy.setConditions({ delayMs: 50, closeDelayMs: 500 }, 'upstream')
  world.client.socket.end()
  await armed(clock)
  expect(clock.nextIn).toBe(550)
})

test('a reset does not wait for a slow close', async () => {
  await using world = await ChaosWorld.start({ clock: new FakeClock() })
  world.proxy.setConditions({ closeDelayMs: 500 })
  world.client.socket.resetAndDestroy()
  await world.far.until('a close', () => world.far.isClosed)
  expect(world.far.error).toBe('ECONNRESET')
})

test('the conditions of one link are its own', async () => {
  const clock = new FakeClock()
  await using world = await ChaosWorld.start({ clock })
  using other = await dial(world.proxy.port)
  const far = await world.server.end(1)
  world.link.setConditions({ delayMs: 70 }, 'upstream')
  world.client.socket.write('late')
  other.socket.write('at once')
  await far.until('the bytes', () => far.text === 'at once')
  await armed(clock)
  expect(clock.nextIn).toBe(70)
  expect(world.far.text).toBe('')
})

test.each(WAYS)('a slicer passes bytes on in small pieces, in order, %s', async (way) => {
  const sizes = await slicesOf(7, way)
  expect(Math.max(...sizes)).toBe(5)
  expect(new Set(sizes).size).toBeGreaterThan(1)
})

test.each(WAYS)('the same seed makes the same choices %s, and another one others', async (way) => {
  const [sizes, jitters] = [await slicesOf(7, way), await jittersOf(7, way)]
  expect(await slicesOf(7, way)).toEqual(sizes)
  expect(await jittersOf(7, way)).toEqual(jitters)
  expect(await slicesOf(8, way)).not.toEqual(sizes)
  expect(await jittersOf(8, way)).not.toEqual(jitters)
})

test('a seed is drawn and told when none is given', async () => {
  await using one = await ChaosWorld.start()
  await using other = await ChaosWorld.start()
  expect(one.proxy.seed).not.toBe(other.proxy.seed)
})

test.each(WAYS)('a sender %s is held back by a receiver that does not read', async (way) => {
  await using world = await ChaosWorld.start()
  const [from, to] = ends(world, way)
  to.socket.pause()
  const chunk = Buffer.alloc(1_048_576)
  let sent = 0
  // The kernel's buffers are bounded, so the sender's own must fill up in the end.
  while (from.socket.writableLength < 4 * chunk.length) {
    from.socket.write(chunk)
    sent += chunk.length
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(world.proxy.stats().passed[way]).toBeLessThan(sent)
  to.socket.resume()
  await to.until('everything', () => world.proxy.stats().passed[way] === sent)
})

test('the random numbers of a seed come again and are spread evenly', () => {
  const [one, same, other] = [seededRandom(1), seededRandom(1), seededRandom(2)]
  const draws = Array.from({ length: 1_000 }, () => one())
  expect(Array.from({ length: 1_000 }, () => same())).toEqual(draws)
  expect(other()).not.toBe(draws[0])
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05)
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true)
})
