import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, sub } from './wire-client.ts'

/** JSON whose names reach for a prototype where somebody assigns or merges them. */
const HOSTILE: readonly string[] = [
  '{"__proto__":{"polluted":1}}',
  '{"__proto__":null}',
  '{"__proto__":[1]}',
  '{"a":{"__proto__":{"polluted":1}}}',
  '[{"__proto__":{"polluted":1}}]',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"prototype":{"polluted":1}}',
  '{"a":{"constructor":{"prototype":{"polluted":1}}}}',
  '{"hasOwnProperty":1,"toString":null,"valueOf":2}',
  '{"toJSON":"x","then":"y"}',
  '{"__defineGetter__":1,"__lookupGetter__":2}',
  '{"__proto__":{"__proto__":{"polluted":1}}}',
]

test.each(HOSTILE)(
  '%s as payload and as metadata arrives as it is for two subscriptions, and changes no prototype [F71]',
  async (json) => {
    const hub = await startHub()
    const reader = transportTo(hub, { protocol: busV1() })
    const [first, second] = [await collect(reader, 'a'), await collect(reader, '*')]
    const plain = await serve()
    const plainReader = transportTo(plain)
    const third = await collect(plainReader, 'a')
    const publisher = await greet(hub)
    const metadata = `{"timestamp":1,"nested":${json}}`
    publisher.say(`pub 1 a id {"payload":${json},"metadata":${metadata}}`)
    plain.inject(`{"id":"id","event_type":"a","payload":${json},"metadata":{"nested":${json}}}`)
    await until(
      () => [first, second, third].every(({ events }) => events.length === 1),
      'it arrives everywhere',
    )
    for (const { events } of [first, second, third]) {
      expect(JSON.stringify(events[0]?.payload)).toBe(json)
      expect(JSON.stringify(events[0]?.metadata['nested'])).toBe(json)
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('admin')
  },
)

test.each([
  'hello {"v":1,"subs":[],"__proto__":{"sid":"x"},"constructor":{"prototype":{"polluted":1}}}',
  'hello {"v":1,"subs":[],"prototype":{"polluted":1},"window":{"events":5,"bytes":5,"__proto__":{"polluted":1}}}',
])('%s is read by the names that it has of its own [F71]', async (hello) => {
  const hub = await startHub()
  const client = await greet(hub)
  client.ws.terminate()
  const other = await greet(hub, { subs: [sub(1, 'a')] })
  expect(other.welcome.resumed).toBe(false)
  const stranger = await greet(hub, JSON.parse(hello.slice('hello '.length)) as object)
  expect(stranger.welcome).toMatchObject({ resumed: false, gaps: [] })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('all of it works in a process in which touching __proto__ throws [F71]', async () => {
  const script = `
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    import { createHub } from '@bus/websocket/hub'
    const hub = await createHub({ allowAnonymous: true })
    const bus = createBus({ transport: webSocketTransport({ url: hub.url }) })
    const seen = []
    const all = new Promise((resolve) => {
      globalThis.note = ({ payload }) => seen.push(JSON.stringify(payload)) === 24 && resolve()
    })
    await bus.subscribe('a', globalThis.note)
    await bus.subscribe('>', globalThis.note)
    const hostile = ${JSON.stringify(HOSTILE)}
    for (const json of hostile) await bus.publish('a', JSON.parse(json))
    await all
    await bus.drain()
    await hub.close()
    process.stdout.write(String(hostile.every((json) => seen.filter((s) => s === json).length === 2)))`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-proto=throw', '--input-type=module', '-e', script],
    { cwd: new URL('..', import.meta.url), timeout: 50_000 },
  )
  expect(stdout).toBe('true')
})
