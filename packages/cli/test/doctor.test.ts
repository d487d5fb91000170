import { createServer, request, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@bus/test-support/websocket'
import { createHub, type HubOptions } from '@bus/websocket/hub'
import { describe, expect, onTestFinished, test } from 'vitest'
import { main } from '../src/main.ts'
import { identity } from './identity.ts'

interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

interface Given {
  readonly input?: readonly string[]
  readonly env?: Record<string, string>
  readonly isTTY?: boolean
}

/** The command in this process. */
async function bus(args: readonly string[], given: Given = {}): Promise<Run> {
  const { input = [], env = {}, isTTY = false } = given
  const text = { out: '', err: '' }
  const stdin = (async function* () {
    yield* input
  })()
  const code = await main(args, {
    stdin,
    stdout: { isTTY, write: (more) => (text.out += more) },
    stderr: { write: (more) => (text.err += more) },
    env,
  })
  return { code, ...text }
}

/** The lines of JSON, by step; the result under `result`. */
function steps({ out }: Run): Record<string, { status?: string; advice?: { message: string } }> {
  const lines = out.trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => {
      const entry = JSON.parse(line) as { step?: string; result?: string }
      return [entry.step ?? 'result', entry.step === undefined ? entry.result : entry]
    }),
  ) as Record<string, { status?: string; advice?: { message: string } }>
}

const statuses = (run: Run): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(steps(run)).map(([name, entry]) => [name, entry.status ?? entry]),
  )

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

async function hub(options: Partial<HubOptions> = {}): Promise<string> {
  const it = await createHub({ port: 0, allowAnonymous: true, ...options })
  onTestFinished(() => it.close())
  return it.url
}

/** A server of HTTP that refuses each upgrade. */
async function refusing(handler: RequestListener): Promise<string> {
  return `ws://127.0.0.1:${await listening(createServer(handler))}/`
}

describe('bus doctor <url>', () => {
  test('shows that every step to a hub holds', async () => {
    const run = await bus(['doctor', await hub()])
    expect(run.code).toBe(0)
    expect(statuses(run)).toEqual({
      address: 'ok',
      tcp: 'ok',
      upgrade: 'ok',
      subprotocol: 'ok',
      session: 'ok',
      ping: 'ok',
      clock: 'skipped',
      result: 'ok',
    })
  })

  test('gives text to a terminal, and JSON where that is requested', async () => {
    const url = await hub()
    const { out } = await bus(['doctor', url], { isTTY: true })
    expect(out).toMatch(/^✓ address {5}127\.0\.0\.1\n✓ tcp/)
    expect(out).toContain('✓ subprotocol bus.v1\n')
    expect(out).toMatch(/\nAll is well\.\n$/)
    const forced = await bus(['doctor', url, '--json'], { isTTY: true })
    expect(statuses(forced)['result']).toBe('ok')
  })

  test('says that nothing listens, and what to do', async () => {
    const server = createTcpServer()
    const port = await listening(server)
    server.close()
    await once(server, 'close')
    const run = await bus(['doctor', `ws://127.0.0.1:${port}/`], { isTTY: true })
    expect(run.code).toBe(1)
    expect(run.out).toContain('✓ address     127.0.0.1\n✗ tcp')
    expect(run.out).toContain('Nothing listens at that address.\n')
    expect(run.out).toContain('Check that the server runs, and the host and port of the URL.\n')
    expect(run.out).toContain('- upgrade     not reached\n')
  })

  test('tells an address apart that cannot be found', async () => {
    const run = await bus(['doctor', 'ws://nowhere.invalid/'])
    expect(run.code).toBe(1)
    expect(statuses(run)).toMatchObject({ address: 'failed', tcp: 'skipped', result: 'problem' })
  })

  test('tells a certificate apart that is not trusted, and takes one by `--ca`', async () => {
    const own = await identity('127.0.0.1')
    const { url } = await serve({ tls: own })
    const run = await bus(['doctor', url])
    expect(statuses(run)).toMatchObject({ tcp: 'ok', tls: 'failed', upgrade: 'skipped' })
    expect(steps(run)['tls']?.advice?.message).toBe('The server signed its certificate itself.')
    const directory = await mkdtemp(join(tmpdir(), 'doctor-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'ca.pem')
    await writeFile(file, own.cert)
    const trusted = await bus(['doctor', url, '--ca', file])
    expect(statuses(trusted)).toMatchObject({ tls: 'ok', upgrade: 'ok', result: 'ok' })
  })

  test('tells a port without TLS apart', async () => {
    const run = await bus(['doctor', (await hub()).replace('ws:', 'wss:')])
    expect(statuses(run)).toMatchObject({ tcp: 'ok', tls: 'failed', result: 'problem' })
  })

  test('names the status with which the upgrade is refused', async () => {
    const url = await hub({ path: '/events' })
    const run = await bus(['doctor', url.replace('/events', '/other')])
    expect(run.code).toBe(1)
    expect(statuses(run)).toMatchObject({ tcp: 'ok', upgrade: 'failed', subprotocol: 'skipped' })
    expect(steps(run)['upgrade']?.advice?.message).toBe('The server has no such path.')
  })

  test('shows what is spoken with a server that knows no bus.v1', async () => {
    const server = await serve({ subprotocols: () => false })
    const run = await bus(['doctor', server.url])
    expect(run.code).toBe(0)
    expect(statuses(run)).toMatchObject({ subprotocol: 'ok', session: 'skipped', ping: 'ok' })
    expect(run.out).toContain('not a hub, events travel as plain JSON, unconfirmed')
  })

  test('notices a server that does not answer hello', async () => {
    const server = await serve({ headers: { 'bus-protocol': 'bus.v1' } })
    const run = await bus(['doctor', server.url, '--timeout', '1500'])
    expect(statuses(run)).toMatchObject({ subprotocol: 'ok', session: 'failed', ping: 'skipped' })
    expect(run.out).toContain('did not answer `hello` with `welcome` in time')
  })

  test('notices a server that does not answer pings', async () => {
    const server = await serve({ subprotocols: () => false })
    server.faults.withholdPongs()
    const run = await bus(['doctor', server.url, '--timeout', '1500'])
    expect(statuses(run)).toMatchObject({ ping: 'failed', result: 'problem' })
  })

  test('notices a port that accepts and says nothing', async () => {
    const port = await listening(createTcpServer(() => {}))
    const plain = await bus(['doctor', `ws://127.0.0.1:${port}/`, '--timeout', '1500'])
    expect(statuses(plain)).toMatchObject({ tcp: 'ok', upgrade: 'failed' })
    const secure = await bus(['doctor', `wss://127.0.0.1:${port}/`, '--timeout', '1500'])
    expect(statuses(secure)).toMatchObject({ tcp: 'ok', tls: 'failed', upgrade: 'skipped' })
  })

  test('compares the clocks, also where the upgrade is refused', async () => {
    const ahead = await refusing((_request, response) => {
      response.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString())
      response.writeHead(401).end()
    })
    const run = await bus(['doctor', ahead])
    expect(statuses(run)).toMatchObject({ upgrade: 'failed', clock: 'failed' })
    expect(run.out).toMatch(/the server is 3\d\d\d s ahead of this machine/)
    const right = await refusing((_request, response) => void response.writeHead(401).end())
    expect(statuses(await bus(['doctor', right]))).toMatchObject({ clock: 'ok' })
  })

  test('shows the hub a token of the environment, and no output repeats it', async () => {
    const url = await hub({
      allowAnonymous: false,
      authenticate: ({ token }) => (token === 'canary' ? { id: 'doctor' } : undefined),
    } as Partial<HubOptions>)
    const known = await bus(['doctor', url], { env: { BUS_TOKEN: 'canary' } })
    expect(statuses(known)).toMatchObject({ session: 'ok', result: 'ok' })
    const unknown = await bus(['doctor', url], { env: { BUS_TOKEN: 'other-canary' } })
    expect(unknown.code).toBe(1)
    expect(known.out + unknown.out + unknown.err).not.toContain('canary')
  })

  test('sends the headers that are given', async () => {
    const server = await serve({ subprotocols: () => false })
    const run = await bus(['doctor', server.url, '--header', 'X-Tenant: one'])
    expect(run.code).toBe(0)
    expect(server.connections[0]?.request.headers).toMatchObject({ 'x-tenant': 'one' })
  })
})

describe('bus doctor --error', () => {
  test.each([
    ['a message', 'connect ECONNREFUSED 127.0.0.1:8080', 'Nothing listens at that address.'],
    ['a class', 'QueueFullError: the queue is full', 'A queue with strategy `reject` is full.'],
    ['a status', 'Unexpected server response: 404', 'The server has no such path.'],
    [
      'a close code',
      'The connection ended with code 4429',
      'Too much was sent in too short a time.',
    ],
    [
      'JSON with a cause',
      '{"code":"connection","cause":{"code":"CERT_HAS_EXPIRED"}}',
      'The certificate of the server has expired.',
    ],
    [
      'an entry of a log',
      '{"level":"error","message":"x","error":{"code":"draining"}}',
      'The bus is draining and accepts nothing new.',
    ],
    ['anything else', 'odd', 'odd'],
  ])('explains %s', async (_what, text, message) => {
    const run = await bus(['doctor', '--error', text])
    expect(run.code).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({ message })
  })

  test('reads the standard input, however it is cut', async () => {
    const run = await bus(['doctor', '--error', '-'], {
      input: ['connect ECONN', 'REFUSED'],
      isTTY: true,
    })
    expect(run.out).toMatch(/^Nothing listens at that address\.\nCheck .+\nSee docs\/errors\.md#/)
  })
})

describe('bus, used wrongly, says what is accepted and ends with 2', () => {
  test.each([
    [[], 'Expected a command: `doctor`, got nothing'],
    [['docter'], 'Expected a command: `doctor`, got `docter`'],
    [['doctor'], 'Expected the URL of a server, got none'],
    [['doctor', 'ws://a/', 'ws://b/'], 'Expected one URL, got 2'],
    [
      ['doctor', 'http://a/'],
      'Expected `url` to be a ws: or wss: URL with a host, got `http://a/` (string)',
    ],
    [['doctor', 'ws://a/', '--error', 'x'], 'Expected either a URL or `--error`, got both'],
    [
      ['doctor', 'ws://a/', '--timeout', 'soon'],
      'Expected `--timeout` to be milliseconds ≥ 1, got soon',
    ],
    [['doctor', 'ws://a/', '--header', 'canary'], 'Expected `--header` to be `name: value`'],
    [
      ['doctor', 'ws://a/', '--ca', '/nowhere/ca.pem'],
      'Could not read `--ca`: There is no such file or directory.',
    ],
  ])('%j', async (args, message) => {
    const { code, out, err } = await bus(args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err.split('\n')[0]).toBe(message)
    expect(err).toContain('Usage: bus')
  })

  test('refuses an option that it does not know, without its control characters', async () => {
    const { code, err } = await bus(['doctor', '--\u001B[2Jurl', 'ws://a/'])
    expect(code).toBe(2)
    expect(err).not.toContain('\u001B')
  })

  test('has help with examples, for the command and for each of its own', async () => {
    for (const args of [['--help'], ['-h'], ['doctor', '--help'], ['doctor', '-h']]) {
      const { code, out } = await bus(args)
      expect(code).toBe(0)
      expect(out).toContain('Exit codes:')
    }
    expect((await bus(['doctor', '--help'])).out).toContain('bus doctor ws://localhost:8080/events')
  })
})

test('a proxy that removes the headers of the upgrade is found behind the 426 of the server', async () => {
  const target = new URL(await hub())
  // Forwards what it takes for an ordinary request, as a reverse proxy without a setting for WebSocket does.
  const proxy = createServer((incoming, outgoing) => {
    const { connection: _connection, upgrade: _upgrade, ...headers } = incoming.headers
    const forward = request({
      port: target.port,
      host: target.hostname,
      path: incoming.url,
      headers,
    })
    forward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502)
      answer.pipe(outgoing)
    })
    forward.end()
  })
  // Without a listener for `upgrade` Node takes it for an ordinary request.
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  const { port } = proxy.address() as AddressInfo
  const run = await bus(['doctor', `ws://127.0.0.1:${port}`])
  expect(run.code).toBe(1)
  expect(run.out).toContain('426')
  expect(run.out).toContain('A proxy in between has removed `Upgrade` and `Connection`')
})
