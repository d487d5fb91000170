/** What the chaos proxy breaks, seen from plain TCP sockets. */
import { describe, expect, test } from 'vitest'
import { ConfigError } from '@bus/core'
import { startChaosProxy, type ChaosProxyOptions } from '../src/chaos/index.ts'
import { ChaosWorld } from './chaos-world.ts'
import { dial, TcpServer, type End } from './tcp-ends.ts'

async function closed(...ends: End[]): Promise<void> {
  for (const end of ends) await end.until('a close', () => end.isClosed)
}

test('bytes pass unchanged in both directions', async () => {
  await using world = await ChaosWorld.start()
  const big = Buffer.alloc(1_000_000, 'abcdefg')
  world.client.socket.write(big)
  world.far.socket.write('down')
  await world.far.until('everything', () => world.far.bytes.length >= big.length)
  await world.client.until('the answer', () => world.client.text === 'down')
  expect(world.far.bytes.equals(big)).toBe(true)
  expect(world.proxy.stats()).toEqual({
    links: 1,
    broken: { reset: 0, end: 0, cut: 0 },
    passed: { upstream: big.length, downstream: 4 },
  })
})

test('an end that hangs up is passed on behind its last bytes, and the other may go on talking', async () => {
  await using world = await ChaosWorld.start()
  world.client.socket.end('last words')
  await world.far.until('the end', () => world.far.hasEnded)
  expect(world.far.text).toBe('last words')
  world.far.socket.end('answer')
  await closed(world.client, world.far)
  expect(world.client.text).toBe('answer')
  expect(world.client.error).toBeUndefined()
  expect(world.proxy.links).toEqual([])
  expect(world.link).toMatchObject({ isOpen: false, fault: undefined })
})

test('a link that is reset while an end of it is passed on leaves nothing open', async () => {
  const openSockets = (): number =>
    process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length
  const before = openSockets()
  {
    await using world = await ChaosWorld.start()
    world.far.socket.on('end', () => world.far.socket.destroy())
    world.link.blackhole()
    world.client.socket.end()
    // Read by the proxy, and held back.
    await new Promise((resolve) => setTimeout(resolve, 20))
    world.link.heal()
    world.link.reset()
    await closed(world.client, world.far)
  }
  await expect.poll(openSockets).toBeLessThanOrEqual(before)
})

test('an end that breaks breaks the other one', async () => {
  await using world = await ChaosWorld.start()
  world.far.socket.resetAndDestroy()
  await closed(world.client)
  expect(world.client.error).toBe('ECONNRESET')
  expect(world.proxy.stats().broken).toEqual({ reset: 0, end: 0, cut: 0 })
})

test('a reset reaches both ends', async () => {
  await using world = await ChaosWorld.start()
  expect(world.proxy.reset()).toBe(1)
  await closed(world.client, world.far)
  expect([world.client.error, world.far.error]).toEqual(['ECONNRESET', 'ECONNRESET'])
  expect(world.link).toMatchObject({ isOpen: false, fault: 'reset' })
  expect(world.proxy.stats().broken.reset).toBe(1)
  expect(world.proxy.reset()).toBe(0)
})

test('a FIN reaches both ends without an error', async () => {
  await using world = await ChaosWorld.start()
  expect(world.proxy.end()).toBe(1)
  await world.client.until('the end', () => world.client.hasEnded)
  await world.far.until('the end', () => world.far.hasEnded)
  expect([world.client.error, world.far.error]).toEqual([undefined, undefined])
  expect(world.link.fault).toBe('end')
  // What is said after that reaches nobody.
  world.far.socket.end('too late')
  world.client.socket.end()
  await closed(world.client)
  expect(world.client.text).toBe('')
})

describe('a cut', () => {
  test.each(['upstream', 'downstream'] as const)('is made after so many bytes %s', async (way) => {
    await using world = await ChaosWorld.start()
    const [from, to] = way === 'upstream' ? [world.client, world.far] : [world.far, world.client]
    from.socket.write('0123456789')
    await to.until('the first bytes', () => to.text === '0123456789')
    expect(world.proxy.cutAfter(4, { direction: way, how: 'end' })).toBe(1)
    from.socket.write('abcdefgh')
    await to.until('the end', () => to.hasEnded)
    expect(to.text).toBe('0123456789abcd')
    expect(to.error).toBeUndefined()
    expect(world.link).toMatchObject({ fault: 'cut', passed: { [way]: 14 } })
    expect(world.proxy.stats().broken.cut).toBe(1)
  })

  test('leaves the other direction alone until then', async () => {
    await using world = await ChaosWorld.start()
    world.link.cutAfter(1, { direction: 'upstream' })
    world.far.socket.write('still here')
    await world.client.until('the bytes', () => world.client.text === 'still here')
    expect(world.link.isOpen).toBe(true)
  })

  test('is made downstream and with a reset, unless told otherwise', async () => {
    await using world = await ChaosWorld.start()
    world.link.cutAfter(3)
    world.far.socket.write('abcdef')
    await closed(world.far)
    expect(world.far.error).toBe('ECONNRESET')
    await world.client.until('the end', () => world.client.hasEnded || world.client.isClosed)
    expect(world.client.text).toBe('abc')
    expect(world.link.passed).toEqual({ upstream: 0, downstream: 3 })
  })

  test('after no bytes at all is made at once', async () => {
    await using world = await ChaosWorld.start()
    world.link.cutAfter(0)
    expect(world.link).toMatchObject({ isOpen: false, fault: 'cut' })
  })
})

test('while the proxy is down links are torn and new ones refused; up again it has the same port', async () => {
  await using world = await ChaosWorld.start()
  const { port } = world.proxy
  await world.proxy.down()
  await closed(world.client)
  expect(world.link.fault).toBe('reset')
  using refused = await dial(port)
  expect(refused.error).toBe('ECONNREFUSED')
  await world.proxy.up()
  expect(world.proxy.port).toBe(port)
  using again = await dial(port)
  again.socket.write('back')
  const far = await world.server.end(1)
  await far.until('the bytes', () => far.text === 'back')
  expect(far.error).toBeUndefined()
})

test('a target that does not listen resets the client', async () => {
  const server = await TcpServer.start()
  const { port } = server
  await server[Symbol.asyncDispose]()
  await using proxy = await startChaosProxy({ targetPort: port })
  using client = await dial(proxy.port)
  await client.until('a close', () => client.isClosed)
  expect(client.error).toBe('ECONNRESET')
})

test('whoever watches sees every byte, and the end of each link once', async () => {
  const seen: string[] = []
  await using world = await ChaosWorld.start({
    onBytes: (link, bytes, direction) =>
      seen.push(`${link.index} ${direction} ${bytes.toString()}`),
    onLinkOver: (link) => seen.push(`${link.index} over ${link.fault}`),
  })
  world.client.socket.write('up')
  await world.far.until('the bytes', () => world.far.text === 'up')
  world.far.socket.write('down')
  await world.client.until('the bytes', () => world.client.text === 'down')
  world.proxy.end()
  await world.proxy.close()
  expect(seen).toEqual(['0 upstream up', '0 downstream down', '0 over end'])
})

test('closing lets go of every link, torn or not, and can be repeated', async () => {
  await using world = await ChaosWorld.start()
  using second = await dial(world.proxy.port)
  await world.server.end(1)
  world.link.end()
  await world.proxy.close()
  await world.proxy.close()
  for (const end of [world.client, world.far, second]) {
    await end.until('the end', () => end.hasEnded)
  }
  expect(world.proxy.links).toEqual([])
})

test.each([
  ['targetPort', {}],
  ['targetPort', { targetPort: 0 }],
  ['targetHost', { targetPort: 1, targetHost: '' }],
  ['port', { targetPort: 1, port: -1 }],
  ['host', { targetPort: 1, host: 5 }],
  ['seed', { targetPort: 1, seed: 0.5 }],
  ['onBytes', { targetPort: 1, onBytes: true }],
  ['onLinkOver', { targetPort: 1, onLinkOver: 1 }],
  ['clock', { targetPort: 1, clock: {} }],
  ['sed', { targetPort: 1, sed: 1 }],
])('a wrong %s is refused by name', async (path, options) => {
  const start = startChaosProxy(options as ChaosProxyOptions)
  await expect(start).rejects.toThrow(ConfigError)
  await expect(start).rejects.toHaveProperty('path', path)
})

test('a port that is taken is an error with its cause', async () => {
  await using server = await TcpServer.start()
  await expect(startChaosProxy({ targetPort: 1, port: server.port })).rejects.toMatchObject({
    code: 'connection',
    cause: { code: 'EADDRINUSE' },
  })
})

test('a wrong fault is refused by name', async () => {
  await using world = await ChaosWorld.start()
  const wrong = { direction: 'sideways' } as unknown as { direction: 'upstream' }
  expect(() => world.link.cutAfter(-1)).toThrow(/`bytes`.*≥ 0/)
  expect(() => world.link.cutAfter(1, wrong)).toThrow(/`direction`/)
  expect(() => world.link.hole(-1)).toThrow(/`ms`/)
  expect(() => world.proxy.setConditions({ sliceBytes: 0 })).toThrow(/`conditions\.sliceBytes`/)
  expect(() => world.link.setConditions({ closeDelayMs: -1 })).toThrow(/`conditions\.closeDelayMs`/)
  expect(() => world.proxy.setConditions({ bytesPerSecond: 0 })).toThrow(
    /`conditions\.bytesPerSecond`/,
  )
})
