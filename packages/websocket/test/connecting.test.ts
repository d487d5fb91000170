import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { createEvent } from '@bus/core'
import { plainJson } from '@bus/websocket/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  collect,
  frameOf,
  leavesNothing,
  only,
  record,
  resources,
  serve,
  states,
  transportTo,
  until,
} from './harness.ts'

/** A port on which nothing listens. */
async function closedPort(): Promise<{ readonly url: string }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return { url: `ws://127.0.0.1:${port}` }
}

describe('connect', () => {
  test('opens a link to a good server, and the status shows the way to it', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    expect(transport.status.state).toBe('idle')
    await transport.connect()
    expect(states(notices)).toEqual(['connecting', 'bootstrapping', 'ready'])
    expect(transport.status).toMatchObject({ state: 'ready', generation: 1, protocol: '' })
    expect(only(notices, 'open')).toEqual([{ generation: 1, reconnected: false, protocol: '' }])
  })

  test('rejects for a closed port with the code of the system, and goes on trying [F15]', async () => {
    const transport = transportTo(await closedPort())
    await expect(transport.connect()).rejects.toMatchObject({
      code: 'connection',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED') as string,
      cause: { code: 'ECONNREFUSED' },
    })
    await until(() => transport.status.state === 'backoff', 'it waits for the next attempt')
  })

  test('fails at once for a host that has no address, long before its deadline', async () => {
    const transport = transportTo(
      { url: 'ws://no-such-host.invalid/' },
      { timeouts: { connectMs: 60_000 } },
    )
    await expect(transport.connect()).rejects.toMatchObject({
      code: 'connection',
      message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) as string,
    })
  })

  test('called again while connecting or connected opens no second socket', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await Promise.all([transport.connect(), transport.connect()])
    await transport.connect()
    await transport.publish(createEvent('a', 1))
    expect(server.upgradeAttempts).toBe(1)
  })

  test('with retry waits through failed attempts, without it rejects with the first failure', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 2 })
    const transport = transportTo(server)
    const patient = transport.connect({ retry: true })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'handshake', status: 503 })
    await patient
    expect(server.upgradeAttempts).toBe(3)
  })

  test('stops waiting when its signal aborts, while the attempt goes on for the others', async () => {
    const server = await serve()
    server.faults.delay(50)
    const transport = transportTo(server)
    const abort = new AbortController()
    const impatient = transport.connect({ signal: abort.signal })
    const patient = transport.connect()
    abort.abort(new Error('enough'))
    await expect(impatient).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') })
    await expect(transport.connect({ signal: abort.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    await patient
    expect(server.upgradeAttempts).toBe(1)
  })
})

describe('the request of the handshake', () => {
  test('carries path, query, headers and subprotocols, and the agreed subprotocol can be read', async () => {
    const server = await serve({ subprotocols: ['two'] })
    const transport = transportTo(
      { url: `${server.url}events/v1?room=7&x=%20y` },
      { headers: { 'x-one': '1', 'X-Two': 'zwei' }, protocols: ['one', 'two'] },
    )
    await transport.connect()
    expect(server.upgrades[0]).toMatchObject({
      url: '/events/v1?room=7&x=%20y',
      headers: { 'x-one': '1', 'x-two': 'zwei' },
      subprotocols: ['one', 'two'],
    })
    expect(transport.status).toMatchObject({ state: 'ready', protocol: 'two' })
  })

  test('offers a subprotocol once that both the protocol and the options name', async () => {
    const server = await serve()
    const protocol = plainJson({ subprotocols: ['own'] })
    const transport = transportTo(server, { protocol, protocols: ['own', 'other'] })
    await transport.connect()
    expect(server.upgrades[0]?.subprotocols).toEqual(['own', 'other'])
  })

  test('is the same on every attempt', async () => {
    const server = await serve()
    const transport = transportTo(server, { headers: { authorization: 'a' }, protocols: ['p'] })
    await transport.connect()
    server.faults.reset()
    await server.waitForConnection({ index: 1 })
    const same = { url: '/', headers: { authorization: 'a' }, subprotocols: ['p'] }
    expect(server.upgrades).toMatchObject([same, same])
  })

  test('has headers that a function makes anew for each attempt, with its number [F145]', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const attempts: number[] = []
    const transport = transportTo(server, {
      headers: async ({ attempt }) => {
        attempts.push(attempt)
        return await Promise.resolve({ 'x-token': `t${attempts.length}` })
      },
    })
    await transport.connect({ retry: true })
    expect(server.upgrades.map((u) => u.headers['x-token'])).toEqual(['t1', 't2'])
    expect(attempts).toEqual([1, 2])
  })
})

describe('a function for headers', () => {
  test('that throws fails the attempt with a typed error, and the next one calls it again [F31]', async () => {
    const server = await serve()
    let calls = 0
    const transport = transportTo(server, {
      headers: () => {
        calls++
        if (calls === 1) throw new Error('no token yet')
        return {}
      },
    })
    await expect(transport.connect()).rejects.toMatchObject({
      code: 'bootstrap',
      cause: { message: 'no token yet' },
    })
    await transport.connect({ retry: true })
    expect(calls).toBe(2)
  })

  test('that never settles ends with the deadline, and learns it from its signal [F31]', async () => {
    const server = await serve()
    const signals: AbortSignal[] = []
    const transport = transportTo(server, {
      timeouts: { connectMs: 30 },
      headers: ({ signal }) => {
        signals.push(signal)
        return signals.length === 1 ? new Promise(() => {}) : {}
      },
    })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
    expect(signals[0]?.aborted).toBe(true)
    await transport.connect({ retry: true })
  })

  test.each([
    ['ends in a line break', { authorization: 'abc\n' }],
    ['is no text', { authorization: 7 }],
    ['comes in a Map', new Map([['authorization', 'abc']])],
  ])(
    'whose value %s ends the transport with an error without the value [F27]',
    async (_how, made) => {
      const server = await serve()
      const transport = transportTo(server, { headers: () => made as Record<string, string> })
      const error: unknown = await transport.connect().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'config' })
      expect(String(error)).not.toContain('abc')
      expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'config' } })
      expect(server.upgradeAttempts).toBe(0)
    },
  )
})

describe('a server that refuses the handshake', () => {
  test.each([
    [404, 'Cannot GET /', 'Cannot GET /'],
    [400, '', 'Bad Request'],
    [404, '', 'Not Found'],
    [302, '', 'Found'],
  ])(
    'with %i and the body %j is not asked again; the error has status, headers and body [F22]',
    async (status, body, expected) => {
      const server = await serve()
      server.faults.refuse(status, { body, headers: { 'x-why': 'because' } })
      const transport = transportTo(server)
      await expect(transport.connect()).rejects.toMatchObject({
        code: 'handshake',
        status,
        headers: { 'x-why': 'because' },
        body: expected,
      })
      expect(transport.status).toMatchObject({
        state: 'closed',
        cause: { code: 'handshake', status },
      })
      expect(server.upgradeAttempts).toBe(1)
    },
  )

  test('by a redirect never sends the credentials to the other host [F22]', async () => {
    const server = await serve()
    const other = await serve()
    server.faults.refuse(302, { headers: { location: other.url.replace('ws', 'http') } })
    const transport = transportTo(server, { headers: { authorization: 'secret' } })
    await expect(transport.connect()).rejects.toMatchObject({ status: 302 })
    expect(other.upgradeAttempts).toBe(0)
  })

  test.each([408, 425, 429, 500, 502, 503])('with %i is tried again [F21]', async (status) => {
    const server = await serve()
    server.faults.refuse(status, { times: 1 })
    const transport = transportTo(server)
    await transport.connect({ retry: true })
    expect(server.upgradeAttempts).toBe(2)
  })

  test('leaves no socket behind, whatever it says', async () => {
    const server = await serve()
    const before = resources()
    server.faults.refuse(503, { body: 'x'.repeat(10_000), times: 3 })
    const transport = transportTo(server)
    await transport.connect({ retry: true })
    await transport.close()
    await expect(leavesNothing(before)).resolves.toBeUndefined()
  })
})

describe('a server that does not answer the handshake', () => {
  test('in time is given up at the deadline, and each further attempt waits for the backoff [F17]', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const waits: number[] = []
    const transport = transportTo(server, {
      timeouts: { connectMs: 30 },
      reconnect: {
        maxAttempts: 3,
        backoff: (attempt) => {
          waits.push(attempt)
          return attempt
        },
      },
    })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout', retryable: true })
    await until(() => transport.status.state === 'closed', 'it gives up')
    expect(transport.status).toMatchObject({
      cause: { code: 'attempts-exhausted', cause: { code: 'timeout' } },
    })
    expect(waits).toEqual([1, 2, 3])
    expect(server.upgradeAttempts).toBe(4)
  })

  test('but drips it byte by byte is given up at the same deadline [F18]', async () => {
    const server = await serve()
    server.faults.dripUpgrade({ intervalMs: 5, times: 1 })
    const transport = transportTo(server, { timeouts: { connectMs: 60 } })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
    await transport.connect({ retry: true })
  })

  test('and whose late answer comes after its deadline does not disturb the attempt after it', async () => {
    const server = await serve()
    server.faults.delay(40)
    const transport = transportTo(server, { timeouts: { connectMs: 20 } })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
    server.faults.clear()
    await transport.connect({ retry: true })
    const { generation } = transport.status as { generation: number }
    await transport.publish(createEvent('a', 1))
    expect(generation).toBe(1)
    expect(transport.status).toMatchObject({ state: 'ready', generation: 1 })
  })

  test.each([
    ['resets the connection', (f: Faults) => f.resetUpgrade({ times: 1 })],
    ['speaks no HTTP', (f: Faults) => f.answerUpgrade('hello\r\n\r\n', { times: 1 })],
    ['answers with a wrong key', (f: Faults) => f.answerUpgrade(WRONG_KEY, { times: 1 })],
  ])('but %s is tried again, with the cause reported [F15, F25]', async (_how, breakIt) => {
    const server = await serve()
    breakIt(server.faults)
    const transport = transportTo(server)
    const error: unknown = await transport.connect().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'connection', cause: expect.any(Error) as Error })
    await transport.connect({ retry: true })
  })
})

type Faults = Awaited<ReturnType<typeof serve>>['faults']

const WRONG_KEY =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: d3Jvbmc=\r\n\r\n'

test.each([
  ['none of the subprotocols', () => false as const],
  ['a subprotocol that nobody offered', () => 'other'],
])('a server that agrees on %s ends the transport [F24]', async (_what, subprotocols) => {
  const server = await serve({ subprotocols })
  const transport = transportTo(server, { protocols: ['own'] })
  await expect(transport.connect()).rejects.toMatchObject({ code: 'protocol', retryable: false })
  expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'protocol' } })
  expect(server.upgradeAttempts).toBe(1)
})

test('a greeting that comes along with the handshake is delivered', async () => {
  const server = await serve({
    onConnection: (connection) => void connection.send(frameOf('hello', 1)),
  })
  const transport = transportTo(server)
  const all = await collect(transport)
  await until(() => all.events.length === 1, 'the greeting arrives')
  server.faults.reset()
  await until(() => all.events.length === 2, 'the second greeting arrives')
})

test('a greeting that comes along with the handshake finds the protocol that waits for it', async () => {
  const server = await serve({
    onConnection: (connection) => void connection.send('welcome'),
  })
  const greetings: unknown[] = []
  const transport = transportTo(server, {
    protocol: {
      ...plainJson(),
      authenticate: async (link) => {
        greetings.push(await link.waitFor((frame) => (frame === 'welcome' ? frame : undefined)))
      },
    },
    timeouts: { bootstrapMs: 500 },
  })
  const notices = record(transport)
  await transport.connect()
  expect(greetings).toEqual(['welcome'])
  expect(only(notices, 'undeliverable')).toEqual([])
})

test('many clients at once each get their own traffic', async () => {
  const server = await serve({ handler: 'echo' })
  const clients = Array.from({ length: 20 }, () => transportTo(server))
  const inboxes = await Promise.all(clients.map((client) => collect(client)))
  await Promise.all(
    clients.map(async (client, n) => {
      for (let i = 0; i < 5; i++) await client.publish(createEvent(`client.c${n}`, i))
    }),
  )
  await until(() => inboxes.every((inbox) => inbox.events.length === 5), 'all echoes')
  for (const [n, inbox] of inboxes.entries()) {
    expect(new Set(inbox.events.map((event) => event.type))).toEqual(new Set([`client.c${n}`]))
    expect(inbox.payloads).toEqual([0, 1, 2, 3, 4])
  }
  onTestFinished(() => expect(server.errors).toEqual([]))
})
