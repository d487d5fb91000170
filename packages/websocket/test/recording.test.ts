import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { createEvent } from '@bus/core'
import {
  Recorder,
  recordingInfo,
  replay,
  type RecorderOptions,
  type RecordingEntry,
} from '@bus/recording'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketTransport, busV1 } from '../src/index.ts'
import { startHub } from './hub-clients.ts'
import {
  collect,
  cut,
  frameOf,
  leavesNothing,
  resources,
  serve,
  transportTo,
  until,
} from './harness.ts'

/** A path in a directory that ends with the test. */
async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'recording-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'session.jsonl')
}

async function entriesOf(path: string): Promise<RecordingEntry[]> {
  const entries: RecordingEntry[] = []
  await replay(path, (entry) => void entries.push(entry))
  return entries
}

/** An entry in short: `in text hello`. */
function short(entry: RecordingEntry): string {
  const { direction, kind } = entry
  if (kind === 'close') return `${direction} close ${entry.code} ${entry.reason}`
  if (kind === 'open') return `${direction} open ${entry.protocol}`
  const text = kind === 'text' ? entry.data : Buffer.from(entry.data).toString('hex')
  return `${direction} ${kind} ${text}`
}

/** A recorder that stops with the test. */
function recordTo(to: RecorderOptions['to'], options: Partial<RecorderOptions> = {}): Recorder {
  const recorder = new Recorder({ to, ...options })
  onTestFinished(() => recorder.stop().catch(() => {}))
  return recorder
}

describe('a recording', () => {
  test('makes no file before there is a connection', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path)
    await transportTo(server, { watch: recorder }).close()
    expect(recorder.stats()).toMatchObject({ recorded: 0 })
    await recorder.stop()
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
  })

  test('contains text and binary messages of both directions, in order', async () => {
    const server = await serve({ handler: 'echo' })
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    const all = await collect(transport)
    const event = createEvent('order.created', { n: 1 })
    await transport.publish(event)
    await until(() => all.events.length === 1, 'the echo')
    server.inject(Buffer.from([1, 2, 255]))
    await until(() => recorder.stats().recorded === 4, 'the bytes')
    await transport.close()
    await recorder.stop()
    const sent = server.received[0]?.text ?? 'nothing'
    expect((await entriesOf(path)).map(short)).toEqual([
      'out open ',
      `out text ${sent}`,
      `in text ${sent}`,
      'in binary 0102ff',
      'out close 1000 ',
      'in close 1000 ',
    ])
    const before = Date.now()
    for (const { at } of await entriesOf(path)) expect(Math.abs(before - at)).toBeLessThan(60_000)
  })

  test('contains the frames that come along with the handshake', async () => {
    const server = await serve({ onConnection: (connection) => void connection.send('welcome') })
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    await transport.connect()
    await until(() => recorder.stats().recorded === 2, 'the greeting')
    await transport.close()
    await recorder.stop()
    expect((await entriesOf(path)).map(short).slice(0, 2)).toEqual(['out open ', 'in text welcome'])
  })

  test('contains close and control frames of both sides', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, {
      watch: recorder,
      heartbeat: { intervalMs: 20, timeoutMs: 20, maxMissed: 1_000 },
    })
    await transport.connect()
    server.live[0]?.ping('hello')
    const has = async (line: string): Promise<boolean> => {
      await recorder.flush()
      return (await entriesOf(path)).some((entry) => short(entry).startsWith(line))
    }
    await until(() => server.live[0]?.pongs === 1, 'our pong')
    await until(() => (server.live[0]?.pings ?? 0) > 0, 'our ping')
    while (!(await has('in pong'))) await transport.health({ probe: true })
    server.disconnect(4400, 'enough')
    await until(() => transport.status.state === 'closed', 'the end')
    await transport.close()
    await recorder.stop()
    const lines = (await entriesOf(path)).map(short)
    const hello = Buffer.from('hello').toString('hex')
    expect(lines).toEqual(expect.arrayContaining([`in ping ${hello}`, `out pong ${hello}`]))
    const ping = lines.find((line) => line.startsWith('out ping')) ?? 'none'
    expect(lines).toContain(ping.replace('out ping', 'in pong'))
    expect(lines.slice(-2)).toEqual(['in close 4400 enough', 'out close 4400 enough'])
  })

  test('contains a link that broke, and the next one', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    await transport.connect()
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 1, 'reconnected')
    await transport.close()
    await recorder.stop()
    expect((await entriesOf(path)).map(short)).toEqual([
      'out open ',
      'in close 1006 ',
      'out open ',
      'out close 1000 ',
      'in close 1000 ',
    ])
    expect(await recordingInfo(path)).toMatchObject({ connections: 2, inbound: 2, outbound: 1 })
  })

  test('contains nothing of an attempt that did not get that far', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    await transport.connect({ retry: true })
    await transport.close()
    await recorder.stop()
    expect((await entriesOf(path)).map(short)[0]).toBe('out open ')
    expect(await recordingInfo(path)).toMatchObject({ connections: 1, entries: 3 })
  })

  test('appends when it is opened again', async () => {
    const server = await serve()
    const path = await place()
    for (const n of [1, 2]) {
      const recorder = recordTo(path)
      const transport = transportTo(server, { watch: recorder })
      await transport.publish(createEvent('a', n))
      await transport.close()
      await recorder.stop()
    }
    const { connections, outbound } = await recordingInfo(path)
    expect({ connections, outbound }).toEqual({ connections: 2, outbound: 4 })
  })

  test('shows no secret of the URL or the headers', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path)
    const url = `${server.url}?token=abc123`
    const transport = transportTo(
      { url },
      { watch: recorder, headers: { authorization: 'Bearer s3cret' } },
    )
    await transport.connect()
    await transport.close()
    await recorder.stop()
    const text = await readFile(path, 'utf8')
    expect(text).toContain(`${server.url}?token=[redacted]`)
    expect(text).not.toMatch(/abc123|s3cret/)
  })

  test('contains the lines of bus.v1, which travel as bytes', async () => {
    const hub = await startHub()
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(hub, { protocol: busV1(), watch: recorder })
    const all = await collect(transport, 'a')
    await transport.publish(createEvent('a', { text: 'ü' }))
    await until(() => all.events.length === 1, 'the event')
    await transport.close()
    await recorder.stop()
    const lines = (await entriesOf(path)).map(short)
    expect(lines[0]).toBe('out open bus.v1')
    expect(lines[1]).toMatch(/^out text hello /)
    expect(lines[2]).toMatch(/^in text welcome /)
    expect(lines.find((line) => line.startsWith('out text pub'))).toContain('ü')
    expect(lines.filter((line) => /^in text [^w]/.test(line)).join('\n')).toContain('ü')
  })

  test('goes on when the connection is handed over', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path)
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    await transport.publish(createEvent('a', 1))
    const next = WebSocketTransport.adopt(await transport.detach())
    await next.publish(createEvent('a', 2))
    await next.close()
    await recorder.stop()
    expect(await recordingInfo(path)).toMatchObject({ connections: 1, inbound: 1, outbound: 3 })
  })

  test('goes into a stream, which stays open', async () => {
    const server = await serve()
    const stream = new PassThrough()
    const recorder = recordTo(stream, { flushCount: 1 })
    const transport = transportTo(server, { watch: recorder })
    await transport.publish(createEvent('a', 1))
    await transport.close()
    await recorder.stop()
    const lines = String(stream.read()).trim().split('\n')
    expect(lines.length).toBeGreaterThanOrEqual(4)
    expect(stream.writable).toBe(true)
  })

  test('is written as often as the options say', async () => {
    const server = await serve()
    const path = await place()
    const recorder = recordTo(path, { flushCount: 3, flushMs: 600_000 })
    const transport = transportTo(server, { watch: recorder, heartbeat: false })
    await transport.publish(createEvent('a', 1))
    expect(recorder.stats()).toMatchObject({ recorded: 2, written: 0, flushes: 0 })
    await transport.publish(createEvent('a', 2))
    await until(() => recorder.stats().flushes === 1, 'the flush')
    expect(await recordingInfo(path)).toMatchObject({ entries: 3 })
  })
})

describe('a target that cannot be written to', () => {
  test('is reported once, and everything goes on unrecorded', async () => {
    const server = await serve({ handler: 'echo' })
    const file = await place()
    await writeFile(file, '')
    const errors: Error[] = []
    const recorder = recordTo(join(file, 'below'), {
      flushCount: 1,
      onError: (error) => errors.push(error),
    })
    const transport = transportTo(server, { watch: recorder })
    const all = await collect(transport)
    await until(() => errors.length === 1, 'the error')
    for (let n = 0; n < 10; n++) await transport.publish(createEvent('a', n))
    await until(() => all.events.length === 10, 'every event')
    expect(errors).toMatchObject([{ code: 'recording', problem: 'file' }])
    expect(recorder.stats()).toMatchObject({ recorded: 0, written: 0 })
    await transport.close()
    expect(transport.status).toMatchObject({ state: 'closed', cause: undefined })
  })

  test('does not hold up the closing when it takes nothing', async () => {
    const server = await serve()
    const recorder = new Recorder({ to: new Writable({ write: () => {} }) })
    const transport = transportTo(server, { watch: recorder })
    await transport.connect()
    await transport.close()
    expect(recorder.stats()).toMatchObject({ written: 0 })
  })
})

test('a recorded transport and its recorder leave nothing', async () => {
  const server = await serve()
  const path = await place()
  const recorder = recordTo(path)
  const before = resources()
  const listeners = process.listenerCount('exit')
  const transport = transportTo(server, { watch: recorder })
  await transport.publish(createEvent('a', frameOf('a', 1)))
  await transport.close()
  await recorder.stop()
  expect(process.listenerCount('exit')).toBe(listeners)
  await leavesNothing(before)
})
