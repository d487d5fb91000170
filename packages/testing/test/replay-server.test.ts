import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatEntry, type RecordingEntry } from '@bus/recording'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../src/fake-clock.ts'
import { replayServer, type ReplayServerOptions } from '../src/replay-server.ts'
import { PlainClient } from './plain-client.ts'

const START = 1_700_000_000_000
type Line = readonly [
  ms: number,
  direction: 'in' | 'out',
  kind: RecordingEntry['kind'],
  data?: unknown,
]

function entryOf([ms, direction, kind, data]: Line): RecordingEntry {
  const moment = { at: START + ms, direction }
  if (kind === 'text') return { ...moment, kind, data: String(data) }
  if (kind === 'close') return { ...moment, kind, code: Number(data), reason: 'recorded' }
  if (kind === 'open') return { ...moment, kind, url: 'ws://h/', protocol: '' }
  return { ...moment, kind, data: data as Uint8Array }
}

async function recordingOf(lines: readonly Line[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'replay-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'session.jsonl')
  await writeFile(path, lines.map((line) => `${formatEntry(entryOf(line))}\n`).join(''))
  return path
}

async function serve(lines: readonly Line[], options: ReplayServerOptions = {}) {
  const server = await replayServer(await recordingOf(lines), options)
  onTestFinished(() => server.close())
  return server
}

const DIALOGUE: readonly Line[] = [
  [0, 'out', 'open'],
  [1, 'in', 'text', 'welcome'],
  [2, 'out', 'text', 'login'],
  [3, 'in', 'text', 'logged in'],
  [500, 'in', 'binary', new Uint8Array([1, 2])],
]

describe('a replay server', () => {
  test('plays what the recorded client received to each client, from the beginning', async () => {
    const server = await serve(DIALOGUE)
    for (let n = 1; n <= 2; n++) {
      using client = await PlainClient.open(server.url)
      await client.untilMessages(3)
      expect(client.messages).toEqual(['welcome', 'logged in', new Uint8Array([1, 2])])
      await server.played(n)
      expect(client.closed).toBeUndefined()
    }
    expect(server.info).toMatchObject({ entries: 5, inbound: 3, outbound: 1 })
    expect(server.server.errors).toEqual([])
  })

  test('in real time keeps the gaps', async () => {
    const clock = new FakeClock()
    const server = await serve(DIALOGUE, { realtime: true, clock })
    using client = await PlainClient.open(server.url)
    const gaps: number[] = []
    while (clock.now() < 500) {
      // The wait for the end of the connection is a timer too.
      await clock.untilPending(2)
      gaps.push(clock.nextIn)
      clock.advance(clock.nextIn)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(gaps).toEqual([1, 1, 1, 497])
    await client.untilMessages(3)
    await server.played()
  })

  test('shortens the gaps that are longer than wanted', async () => {
    const clock = new FakeClock()
    const lines: Line[] = [
      [0, 'in', 'text', 'a'],
      [86_400_000, 'in', 'text', 'b'],
    ]
    const server = await serve(lines, { realtime: true, maxGapMs: 40, clock })
    using client = await PlainClient.open(server.url)
    await clock.untilPending(2)
    expect(clock.nextIn).toBe(40)
    clock.advance(40)
    await client.untilMessages(2)
  })

  test('in step with its client says nothing before it was asked', async () => {
    const server = await serve(DIALOGUE, { inStep: true })
    using client = await PlainClient.open(server.url)
    await client.untilMessages(1)
    await expect(server.played(1, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'timeout' })
    expect(client.messages).toEqual(['welcome'])
    client.socket.send('login')
    await client.untilMessages(3)
    await server.played()
    server.server.assertMessageSent('login')
  })

  test.each([
    ['closes as the recorded server did', 4_000, { code: 4_000, reason: 'recorded' }],
    ['closes without a reason of its own after a close without a code', 1_005, { code: 1_000 }],
  ])('%s', async (_name, code, closed) => {
    const server = await serve([...DIALOGUE, [600, 'in', 'close', code]])
    using client = await PlainClient.open(server.url)
    expect(await client.untilClosed()).toMatchObject(closed)
    expect(client.messages).toHaveLength(3)
  })

  test.each<[string, Line[]]>([
    [
      'the recorded client closed',
      [
        [600, 'out', 'close', 1_000],
        [601, 'in', 'close', 1_000],
      ],
    ],
    ['the recorded link broke', [[600, 'in', 'close', 1_006]]],
    [
      'another connection followed',
      [
        [600, 'in', 'close', 1_001],
        [601, 'out', 'open'],
      ],
    ],
  ])('stays open where %s', async (_name, lines) => {
    const server = await serve([...DIALOGUE, ...lines, [700, 'in', 'ping', new Uint8Array([1])]])
    using client = await PlainClient.open(server.url)
    await server.played()
    await client.until('the ping', () => client.pings === 1)
    expect(client.closed).toBeUndefined()
  })

  test('plays on for the others when one client leaves', async () => {
    const server = await serve(DIALOGUE, { inStep: true })
    const first = await PlainClient.open(server.url)
    await first.untilMessages(1)
    first.socket.terminate()
    using second = await PlainClient.open(server.url)
    await second.untilMessages(1)
    second.socket.send('login')
    await second.untilMessages(3)
    await server.played(1)
    expect(server.server.errors).toEqual([])
  })

  test('waits for a client that reads slowly', async () => {
    const lines = Array.from({ length: 30 }, (_, n): Line => [
      n,
      'in',
      'text',
      'x'.repeat(1024 * 1024),
    ])
    const server = await serve(lines)
    using client = await PlainClient.open(server.url)
    client.socket.pause()
    await expect(server.played(1, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'timeout' })
    expect(server.server.live[0]?.bufferedAmount).toBeLessThan(4 * 1024 * 1024)
    client.socket.resume()
    await client.untilMessages(30)
    await server.played()
  })

  test('has the options and the faults of the mock server', async () => {
    const server = await serve(DIALOGUE, { path: '/feed', subprotocols: ['b'] })
    expect(server.url).toMatch(/\/feed$/)
    using client = await PlainClient.open(server.url, { protocols: ['a', 'b'] })
    expect(client.socket.protocol).toBe('b')
    server.server.faults.reset()
    await client.untilClosed()
  })

  test('does not start without a recording, and refuses what it does not know', async () => {
    await expect(replayServer('/missing.jsonl')).rejects.toMatchObject({ code: 'recording' })
    const path = await recordingOf(DIALOGUE)
    const made = (options: object) => replayServer(path, options)
    await expect(made({ realtime: 1 })).rejects.toMatchObject({ path: 'realtime' })
    await expect(made({ maxGapMs: -1 })).rejects.toMatchObject({ path: 'maxGapMs' })
    await expect(made({ inStep: 'yes' })).rejects.toMatchObject({ path: 'inStep' })
    await expect(made({ clock: 1 })).rejects.toMatchObject({ path: 'clock' })
    await expect(made({ speed: 2 })).rejects.toMatchObject({ path: 'speed' })
    const aborted = replayServer(path, { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
  })

  test('ends with its block', async () => {
    let url = ''
    {
      await using server = await replayServer(await recordingOf(DIALOGUE))
      url = server.url
      await server.close()
    }
    await expect(PlainClient.open(url)).rejects.toThrow(/ECONNREFUSED/)
  })
})
