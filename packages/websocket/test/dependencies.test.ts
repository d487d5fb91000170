import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { promisify } from 'node:util'
import CircuitBreaker from 'opossum'
import PQueue from 'p-queue'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

// Facts about the libraries that the design relies on or works around. An upgrade that changes one is seen here.

afterEach(() => {
  vi.useRealTimers()
})

const QUIET = {
  timeout: false,
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
} as const

function breaker(
  action: () => Promise<unknown>,
  options: CircuitBreaker.Options = {},
): CircuitBreaker<[]> {
  const circuit = new CircuitBreaker(action, { ...QUIET, ...options })
  onTestFinished(() => circuit.shutdown())
  return circuit
}

const down = () => Promise.reject(new Error('down'))
const fire = (circuit: CircuitBreaker<[]>) =>
  circuit.fire().then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

describe('opossum', () => {
  it('opens at the very first failure by default, which is why its own rule is switched off [F111]', async () => {
    const circuit = breaker(down)
    await fire(circuit)
    expect(circuit.opened).toBe(true)
  })

  it('never opens by itself below the volume threshold, however many failures there are', async () => {
    const circuit = breaker(down, { volumeThreshold: Number.MAX_SAFE_INTEGER })
    for (let i = 0; i < 50; i++) await fire(circuit)
    expect(circuit.closed).toBe(true)
  })

  it('does not open by failures that a backoff spaces out of its window', async () => {
    vi.useFakeTimers()
    const circuit = breaker(down, { volumeThreshold: 5 })
    for (const gap of [1, 2, 4, 8, 8, 8, 8]) {
      await fire(circuit)
      await vi.advanceTimersByTimeAsync(gap * 1_000)
    }
    expect(circuit.closed).toBe(true)
  })

  it('rejects at once after open(), and goes half-open after the reset timeout', async () => {
    vi.useFakeTimers()
    const circuit = breaker(async () => 1, { resetTimeout: 500 })
    circuit.open()
    expect(await fire(circuit)).toBe('EOPENBREAKER')
    await vi.advanceTimersByTimeAsync(500)
    expect(circuit.halfOpen).toBe(true)
  })

  it('lets one call through while half-open and closes on its first success [F116]', async () => {
    vi.useFakeTimers()
    const finish: ((value: unknown) => void)[] = []
    const action = () => new Promise((resolve) => finish.push(resolve))
    const circuit = breaker(action, { resetTimeout: 500 })
    circuit.open()
    await vi.advanceTimersByTimeAsync(500)
    const probe = fire(circuit)
    expect(await fire(circuit)).toBe('EOPENBREAKER')
    finish[0]?.(1)
    expect(await probe).toBe('ok')
    expect(circuit.closed).toBe(true)
  })

  it('rejects for ever when the call that was let through never settles [F115]', async () => {
    vi.useFakeTimers()
    const circuit = breaker(() => new Promise(() => {}), { resetTimeout: 500 })
    circuit.open()
    await vi.advanceTimersByTimeAsync(500)
    void circuit.fire()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await fire(circuit)).toBe('EOPENBREAKER')
  })

  it('fails an action that does not return a promise, so actions are always async [F113]', async () => {
    const circuit = breaker((() => undefined) as unknown as () => Promise<unknown>)
    await expect(circuit.fire()).rejects.toBeInstanceOf(TypeError)
  })

  it('turns success into failure when a listener of it throws, so there is none [F121]', async () => {
    const circuit = breaker(async () => 1)
    circuit.on('success', () => {
      throw new Error('listener')
    })
    expect(await fire(circuit)).toBe('listener')
  })

  it('writes its defaults into the options object that it is given', () => {
    const options: CircuitBreaker.Options = { ...QUIET }
    const circuit = new CircuitBreaker(down, options)
    onTestFinished(() => circuit.shutdown())
    expect(Object.keys(options).length).toBeGreaterThan(Object.keys(QUIET).length)
  })

  it('comes back to life when something opens it after shutdown, so nothing does [F118]', async () => {
    const circuit = breaker(async () => 1)
    circuit.shutdown()
    expect(await fire(circuit)).toBe('ESHUTDOWN')
    circuit.open()
    expect(await fire(circuit)).toBe('ok')
  })

  it('has no timer left after shutdown when it has no timeout of its own [F114]', () => {
    vi.useFakeTimers()
    const circuit = breaker(down)
    circuit.open()
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    circuit.shutdown()
    expect(vi.getTimerCount()).toBe(0)
  })
})

async function listen(server: WebSocketServer | Server): Promise<string> {
  await once(server, 'listening')
  onTestFinished(() => {
    if (server instanceof WebSocketServer) for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function pair(): Promise<{ client: WebSocket; server: WebSocket }> {
  const hub = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const url = await listen(hub)
  const accepted = once(hub, 'connection') as Promise<[WebSocket]>
  const client = new WebSocket(url)
  onTestFinished(() => client.terminate())
  const [[server]] = await Promise.all([accepted, once(client, 'open')])
  return { client, server }
}

/** Two turns of the network: what was sent has arrived, if it is read at all. */
async function roundTrip(from: WebSocket, to: WebSocket): Promise<void> {
  const heard = once(to, 'message')
  from.send('x')
  await heard
}

describe('ws', () => {
  it('gives neither pong nor message nor close while it is paused, and all of them afterwards', async () => {
    const { client, server } = await pair()
    const seen: string[] = []
    client.on('pong', () => seen.push('pong'))
    client.on('message', () => seen.push('message'))
    client.on('close', () => seen.push('close'))
    client.pause()
    client.ping('p')
    await once(server, 'ping')
    server.send('m')
    await roundTrip(client, server)
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual([])
    server.close()
    client.resume()
    await once(client, 'close')
    expect(seen).toEqual(['pong', 'message', 'close'])
  })

  it('throws for a close code or a reason that may not be sent [F78]', async () => {
    const { client } = await pair()
    expect(() => client.close(1006)).toThrow(TypeError)
    expect(() => client.close(1000, 'x'.repeat(124))).toThrow(RangeError)
    client.close(1000, 'x'.repeat(123))
  })

  it('throws from its constructor for a header with a line break, instead of an error event', () => {
    const headers = { authorization: 'token\n' }
    expect(() => new WebSocket('ws://127.0.0.1:1', { headers })).toThrow(TypeError)
  })

  it('emits a close during the handshake as an error event, then close with 1006', async () => {
    const url = await listen(createServer(() => {}).listen(0, '127.0.0.1'))
    const client = new WebSocket(url)
    const seen: unknown[] = []
    client.on('error', (error) => seen.push(error.message))
    client.on('close', (code) => seen.push(code))
    client.close()
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen).toEqual(['WebSocket was closed before the connection was established', 1006])
  })

  it('throws for a send before the link is open, and only calls the callback after it', async () => {
    const { client } = await pair()
    client.terminate()
    const error = await new Promise((resolve) => client.send('x', resolve))
    expect(error).toBeInstanceOf(Error)
    const early = new WebSocket('ws://127.0.0.1:1')
    early.on('error', () => {})
    expect(() => early.send('x')).toThrow('CONNECTING')
    early.terminate()
  })

  it('calls the callback of send although the other side reads nothing', async () => {
    const { client, server } = await pair()
    server.pause()
    const error = await new Promise((resolve) => client.send('x'.repeat(1_000), resolve))
    expect(error ?? undefined).toBeUndefined()
    expect(client.bufferedAmount).toBe(0)
  })

  it('calls back a send without an error that was under way when its socket was destroyed', async () => {
    const { client, server } = await pair()
    server.pause()
    // More than the kernel takes, so that some of it is still ours.
    const sent = new Promise((resolve) => client.send('x'.repeat(30_000_000), resolve))
    client.terminate()
    expect((await sent) ?? undefined).toBeUndefined()
  })

  it('is at least 8.23.0, which bounds what pings of a peer that does not read can cost', async () => {
    const { default: manifest } = (await import('ws/package.json', { with: { type: 'json' } })) as {
      default: { version: string }
    }
    const [major = 0, minor = 0] = manifest.version.split('.').map(Number)
    expect(major > 8 || (major === 8 && minor >= 23)).toBe(true)
  })
})

describe('p-queue', () => {
  it('never settles what was waiting when it is cleared, so clear() is not used [F106]', async () => {
    const queue = new PQueue({ concurrency: 1, autoStart: false })
    const settled = vi.fn<() => void>()
    void queue.add(async () => {}).then(settled, settled)
    queue.clear()
    queue.start()
    await queue.onIdle()
    expect(settled).not.toHaveBeenCalled()
  })

  it('lets a task that timed out run on while its slot is free, so deadlines are our own [F103]', async () => {
    const queue = new PQueue({ concurrency: 1 })
    let running = 0
    const forever = () => {
      running += 1
      return new Promise(() => {})
    }
    await expect(queue.add(forever, { timeout: 1 })).rejects.toThrow('timed out')
    void queue.add(forever, { timeout: 60_000 }).catch(() => {})
    await vi.waitFor(() => expect(running).toBe(2))
  })
})

describe('the process', () => {
  it('ends at once with a breaker that is open and shut down', async () => {
    const script = `
      import CircuitBreaker from 'opossum'
      const circuit = new CircuitBreaker(async () => {}, { timeout: false, resetTimeout: 60_000 })
      circuit.open()
      circuit.shutdown()
      process.stdout.write('done')`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { cwd: new URL('..', import.meta.url), timeout: 50_000 },
    )
    expect(stdout).toBe('done')
  })
})
