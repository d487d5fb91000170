/** Requests for channels go side by side where answers say what they are about, and a slow restoration is not taken for a stuck one. */
import { serve, transportTo, until } from '@bus/test-support/websocket'
import type { MockMessage } from '@bus/testing'
import { plainJson } from '@bus/websocket/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { withChannels } from '../src/index.ts'

interface Request {
  readonly id: number
  readonly channel: string
}

interface Server {
  readonly url: string
  /** The most requests that waited for their answers at the same time. */
  most: number
  /** Breaks every link. */
  cut(): void
}

/** Takes one channel a request, and answers each after a while. */
async function serveSlowly(
  answer: (request: Request) => unknown,
  delayMs: number,
): Promise<Server> {
  let waiting = 0
  const server: Server = { url: '', most: 0, cut: () => {} }
  const mock = await serve({
    handler: ({ json }: MockMessage, connection) => {
      server.most = Math.max(server.most, ++waiting)
      setTimeout(() => {
        waiting--
        connection.send(answer(json as Request) as object)
      }, delayMs)
    },
  })
  return Object.assign(server, { url: mock.url, cut: () => mock.faults.reset() })
}

const clientOf = async (server: Server, bootstrapMs = 10_000) => {
  const protocol = withChannels(plainJson(), {
    channelsPerRequest: 1,
    subscribe: ([channel], { id }) => JSON.stringify({ op: 'subscribe', id, channel }),
    answer: (frame) => {
      const { op, ...rest } = JSON.parse(String(frame)) as { op?: string }
      return op === 'ok' ? rest : undefined
    },
  })
  const transport = transportTo(server, { protocol, timeouts: { bootstrapMs } })
  await transport.connect()
  return { transport, channels: protocol.channels }
}

const NAMES = Array.from({ length: 100 }, (_, n) => `trades.P${n}`)

test.each([
  ['an id', ({ id }: Request) => ({ op: 'ok', id })],
  ['their channel', ({ channel }: Request) => ({ op: 'ok', channels: [channel] })],
])(
  'requests whose answers have %s go side by side, in calls and on a new link',
  async (_, answer) => {
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    const server = await serveSlowly(answer, 20)
    const { transport, channels } = await clientOf(server)
    await channels.subscribe(NAMES.slice(0, 50))
    await Promise.all(NAMES.slice(50).map((name) => channels.subscribe([name])))
    expect(server.most).toBeGreaterThan(10)
    expect(server.most).toBeLessThanOrEqual(32)
    server.most = 0
    server.cut()
    await until(
      () => transport.stats().reconnects === 1 && transport.status.state === 'ready',
      'it is back',
    )
    expect(channels.list('confirmed')).toHaveLength(NAMES.length)
    expect(server.most).toBeGreaterThan(10)
    expect(warnings).toEqual([])
  },
)

test('requests whose answers do not say what they are about go one after the other', async () => {
  const server = await serveSlowly(() => ({ op: 'ok' }), 1)
  const { channels } = await clientOf(server)
  await channels.subscribe(NAMES.slice(0, 30))
  expect(server.most).toBe(1)
})

test('a restoration may take longer than making a connection ready does, as long as the server answers', async () => {
  const server = await serveSlowly(() => ({ op: 'ok' }), 20)
  const { transport, channels } = await clientOf(server, 500)
  await channels.subscribe(NAMES)
  const startedAt = performance.now()
  server.cut()
  await until(
    () => transport.stats().reconnects === 1 && transport.status.state === 'ready',
    'it is back',
  )
  // A hundred answers of 20 ms, one after the other.
  expect(performance.now() - startedAt).toBeGreaterThan(1_000)
  expect(channels.list('confirmed')).toHaveLength(NAMES.length)
})

test('a server that answers nothing on a new link is given up, and the next link does better', async () => {
  let isSilent = false
  const mock = await serve({
    handler: ({ json }: MockMessage, connection) => {
      if (!isSilent) connection.send({ op: 'ok', id: (json as Request).id })
    },
  })
  const { transport, channels } = await clientOf({ url: mock.url, most: 0, cut: () => {} }, 200)
  await channels.subscribe(NAMES)
  isSilent = true
  mock.faults.reset()
  await until(
    () => transport.status.state === 'backoff' && transport.stats().reconnects === 0,
    'it is given up',
  )
  isSilent = false
  await until(() => transport.status.state === 'ready', 'it is back')
  expect(channels.list('confirmed')).toHaveLength(NAMES.length)
})
