/** Processes that stand still while their kernel goes on: what they were sent is neither lost nor taken for delivered. */
import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import { busV1, type WebSocketTransportOptions } from '../src/index.ts'
import { numbered, only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { Kid } from './kid.ts'

interface Frozen {
  readonly kid: Kid
  readonly url: string
}

/** A hub in a process of its own. */
async function hubKid(): Promise<Frozen> {
  const kid = new Kid(`
    import { createHub } from '@bus/websocket/hub'
    const hub = await createHub({ allowAnonymous: true })
    answers({ stats: () => hub.stats() })
    say('url', hub.url)
  `)
  return { kid, url: JSON.parse(await kid.says('url')) as string }
}

type Options = Omit<WebSocketTransportOptions, 'url'>

/** Publishes a hundred events while the hub stands, and tells how many have settled once the kernel has taken them all. */
async function publishToFrozen(options: Options): Promise<Frozen & Publishing> {
  const frozen = await hubKid()
  const transport = transportTo(frozen, options)
  await transport.connect()
  await frozen.kid.freeze()
  let settled = 0
  const receipts = numbered(100).map((event) =>
    transport.publish(event).finally(() => void settled++),
  )
  // A probe goes the same way, so what was published is out by the time that it was not answered.
  const { reasons } = await transport.health({ probe: true, timeoutMs: 200 })
  expect(reasons).toEqual(['The probe was not answered'])
  return { ...frozen, receipts, settled, transport }
}

interface Publishing {
  readonly receipts: readonly Promise<{ readonly status: string; readonly attempts: number }>[]
  /** While the hub stood. */
  readonly settled: number
  readonly transport: ReturnType<typeof transportTo>
}

test('a frozen hub confirms nothing, whatever its kernel takes, and everything once when it goes on [F2, F46]', async () => {
  const { kid, receipts, settled, transport } = await publishToFrozen({ protocol: busV1() })
  expect(settled).toBe(0)
  kid.thaw()
  const outcomes = await Promise.all(receipts)
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['confirmed']))
  expect(transport.stats().reconnects).toBe(0)
  expect(JSON.parse(await kid.ask('stats'))).toMatchObject({ busV1: { published: 100 } })
})

test('on the plain wire a publish to a frozen hub says no more than that it was sent [F46]', async () => {
  const { receipts, settled } = await publishToFrozen({})
  expect(settled).toBe(100)
  const outcomes = await Promise.all(receipts)
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['sent']))
})

test('a hub that stays frozen is left by the heartbeat, and has everything once when it is back [F2]', async () => {
  const { kid, url } = await hubKid()
  const transport = transportTo(
    { url },
    { protocol: busV1(), heartbeat: { intervalMs: 100, timeoutMs: 100 } },
  )
  const notices = record(transport)
  await transport.connect()
  await kid.freeze()
  const receipts = Promise.all(numbered(100).map((event) => transport.publish(event)))
  await until(() => only(notices, 'close').length > 0, 'the link is given up')
  expect(only(notices, 'error')[0]).toMatchObject({ error: { code: 'heartbeat-timeout' } })
  kid.thaw()
  expect((await receipts).map(({ status }) => status)).toEqual(Array(100).fill('confirmed'))
  expect(JSON.parse(await kid.ask('stats'))).toMatchObject({ busV1: { published: 100 } })
})

test('a client that was suspended for many limits reconnects once at most, and loses nothing [F6]', async () => {
  const hub = await startHub({ sessionTtlMs: 60_000 })
  const kid = new Kid(`
    import { createBus } from '@bus/core'
    import { busV1, webSocketTransport } from '@bus/websocket'
    const heartbeat = { intervalMs: 200, timeoutMs: 150 }
    const transport = webSocketTransport({ url: '${hub.url}', protocol: busV1(), heartbeat, idleTimeoutMs: 300 })
    const bus = createBus({ transport })
    const got = []
    await bus.subscribe('a', ({ payload }) => void got.push(payload))
    let published = 0
    let goesOn = true
    const publishing = (async () => {
      while (goesOn) {
        await bus.publish('b', published++)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })()
    const seen = async (payload) => {
      while (!got.includes(payload)) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    answers({
      report: async () => {
        await seen('last')
        goesOn = false
        await publishing
        return { got, published, reconnects: transport.stats().reconnects }
      },
    })
    say('ready', true)
  `)
  await kid.says('ready')
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.publish(createEvent('a', 0))
  await kid.freeze()
  const since = performance.now()
  let sent = 1
  // Three times the longest of its limits.
  while (performance.now() - since < 1_000) await transport.publish(createEvent('a', sent++))
  kid.thaw()
  await transport.publish(createEvent('a', 'last'))
  const { got, published, reconnects } = JSON.parse(await kid.ask('report')) as {
    readonly got: unknown[]
    readonly published: number
    readonly reconnects: number
  }
  expect(got).toEqual([...Array(sent).keys(), 'last'])
  expect(reconnects).toBeLessThanOrEqual(1)
  expect(hub.stats().busV1.published).toBe(published + sent + 1)
})
