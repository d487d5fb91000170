/** How a process ends: by a signal, by itself, or because somebody forgot a promise. */
import { expect, test } from 'vitest'
import { serve, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { Kid } from './kid.ts'
import { greet, sub } from './wire-client.ts'

/** A publisher that never stops by itself. */
const publisher = (url: string, more: string): Kid =>
  new Kid(`
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    const bus = createBus({ transport: webSocketTransport({ url: '${url}' }) })
    const outcomes = { confirmed: 0, rejected: 0, published: 0 }
    const publish = () => {
      outcomes.published++
      bus.publish('a', outcomes.published).then(
        () => outcomes.confirmed++,
        () => outcomes.rejected++,
      )
    }
    await bus.connect()
    say('handlers', process.listenerCount('SIGTERM'))
    const timer = setInterval(() => { for (let n = 0; n < 50; n++) publish() }, 1)
    ${more}
    say('begun', true)
  `)

test('a process that drains at SIGTERM loses nothing: what was published is confirmed, and it ends by itself [F133]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const kid = publisher(
    hub.url,
    `process.once('SIGTERM', async () => {
      clearInterval(timer)
      const report = await bus.drain()
      say('drained', { ...outcomes, left: report.unsent.length })
    })`,
  )
  await kid.says('begun')
  await until(() => hub.stats().busV1.published > 200, 'it is under way')
  kid.signal('SIGTERM')
  const drained = JSON.parse(await kid.says('drained')) as Record<string, number>
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  expect(drained['left']).toBe(0)
  expect(drained['rejected']).toBe(0)
  expect(drained['confirmed']).toBe(drained['published'])
  await reader.events(drained['published'] ?? 0)
  expect(reader.payloads).toHaveLength(drained['published'] ?? 0)
})

test('without a handler of the application a signal ends the process as it always does [F133]', async () => {
  const hub = await startHub()
  const kid = publisher(hub.url, '')
  expect(await kid.says('handlers')).toBe('0')
  await kid.says('begun')
  kid.signal('SIGTERM')
  await expect(kid.ended).resolves.toEqual({ code: null, signal: 'SIGTERM' })
})

test('a process that exits in the middle of it has confirmed nothing that the hub has not [F132]', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const kid = publisher(
    hub.url,
    `setInterval(() => {
      if (outcomes.confirmed < 500) return
      process.stdout.write('left ' + JSON.stringify(outcomes) + '\\n', () => process.exit(3))
    }, 1)`,
  )
  const left = JSON.parse(await kid.says('left')) as Record<string, number>
  await expect(kid.ended).resolves.toMatchObject({ code: 3 })
  await until(() => hub.stats().connections === 1, 'the hub sees it')
  await reader.events(left['confirmed'] ?? Infinity)
})

test('emit without a waiting caller never ends the process, also when the bus is closed under it [F139]', async () => {
  const server = await serve()
  server.faults.stall()
  const kid = new Kid(`
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    process.on('unhandledRejection', (error) => { say('unhandled', String(error)); process.exit(9) })
    const transport = webSocketTransport({ url: '${server.url}', queue: { capacity: 10 } })
    const bus = createBus({ transport })
    let given = 0
    bus.on('undeliverable', () => given++)
    await bus.connect()
    for (let n = 0; n < 500; n++) bus.emit('a', 'x'.repeat(10_000))
    await bus.close()
    bus.emit('a', 'after the end')
    setImmediate(() => say('given', given > 0))
  `)
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  expect(kid.lines).toEqual(['given true'])
})

test('publish without a waiting caller does so with the error that it rejects with, as documented [F139]', async () => {
  const server = await serve()
  const kid = new Kid(`
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    process.on('unhandledRejection', (error) => { say('unhandled', [error.code, error.outcome]) })
    const bus = createBus({ transport: webSocketTransport({ url: '${server.url}' }) })
    void bus.publish('a', 1)
    await bus.close()
  `)
  expect(JSON.parse(await kid.says('unhandled'))).toEqual(['closed', 'not-sent'])
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
})

test('nothing of ours keeps a process alive that has closed client and hub [F137]', async () => {
  const kid = new Kid(`
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    import { createHub } from '@bus/websocket/hub'
    const left = () => process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout|Immediate)/.test(name))
    say('before', left())
    const hub = await createHub({ allowAnonymous: true })
    const bus = createBus({ transport: webSocketTransport({ url: hub.url }) })
    const subscription = await bus.subscribe('a', () => {})
    await bus.publish('a', 1)
    await bus.close()
    await hub.close()
    for (let turn = 0; turn < 100 && left().length > 0; turn++) await new Promise(setImmediate)
    say('after', left())
  `)
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  expect(kid.lines[1]?.replace('after', 'before')).toBe(kid.lines[0])
})

test('two hundred links, and as many that are refused, leave no more memory than the first ones [F138]', async () => {
  const kid = new Kid(`
    import { createServer } from 'node:net'
    import { webSocketTransport } from '@bus/websocket'
    import { createHub } from '@bus/websocket/hub'
    const hub = await createHub({ allowAnonymous: true })
    const transport = webSocketTransport({ url: hub.url, heartbeat: false, reconnect: { backoff: () => 0 } })
    await transport.connect()
    await transport.subscribe(['a'], { deliver: () => true }).live
    const closed = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => closed.once('listening', resolve))
    const { port } = closed.address()
    await new Promise((resolve) => closed.close(resolve))
    const refused = webSocketTransport({ url: 'ws://127.0.0.1:' + port, breaker: false, reconnect: { backoff: () => 0 } })
    refused.connect({ retry: true }).catch(() => {})
    let failures = 0
    refused.on('error', () => failures++)
    const cycles = async (count) => {
      const until = failures + count
      for (let n = 0; n < count; n++) await transport.reconnect()
      while (failures < until) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const used = async () => {
      for (let n = 0; n < 3; n++) {
        gc()
        await new Promise((resolve) => setImmediate(resolve))
      }
      return process.memoryUsage().heapUsed
    }
    await cycles(50)
    const before = await used()
    await cycles(200)
    say('grown', (await used()) - before)
    say('links', hub.stats().connections)
    await refused.close()
    await transport.close()
    await hub.close()
  `)
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  const grown = Number(await kid.says('grown'))
  // Each socket that is kept costs some ten kilobytes.
  expect(grown).toBeLessThan(800_000)
  expect(kid.lines.at(-1)).toBe('links 1')
})

/** A process whose transport has `unref`, and that has nothing else to do. */
const unreferenced = (url: string, work: string): Kid =>
  new Kid(`
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    const transport = webSocketTransport({
      url: '${url}',
      unref: true,
      reconnect: { backoff: () => 100 },
    })
    const bus = createBus({ transport, onError: () => {} })
    ${work}
  `)

test('with `unref` a process ends by itself while its connection is open, after what it awaits', async () => {
  const hub = await startHub()
  const kid = unreferenced(
    hub.url,
    `await bus.subscribe('>', () => {})
    const { status } = await bus.publish('a', 1)
    say('status', status)`,
  )
  expect(await kid.says('status')).toBe('"confirmed"')
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  expect(hub.stats().busV1.published).toBe(1)
})

test('with `unref` a publish that waits for a server keeps the process alive until it is confirmed', async () => {
  const away = await serve()
  const { port, url } = away
  await away.close()
  const kid = unreferenced(
    url,
    `let losses = 0
    bus.on('status', ({ status }) => {
      if (status.state === 'backoff' && ++losses === 3) say('waits', losses)
    })
    const { status } = await bus.publish('a', 1)
    say('status', status)`,
  )
  await kid.says('waits')
  const hub = await startHub({ port })
  expect(await kid.says('status')).toBe('"confirmed"')
  await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  expect(hub.stats().busV1.published).toBe(1)
})
