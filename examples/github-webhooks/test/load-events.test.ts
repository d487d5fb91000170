import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isType } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import { BadInputError, githubType, loadEvents } from '../src/load-events.ts'

/** A file that goes away with the test. */
async function fileOf(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'events-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'events.jsonl')
  await writeFile(path, text)
  return path
}

async function load(text: string) {
  return loadEvents({ kind: 'file', path: await fileOf(text) })
}

test('names the type of a GitHub delivery after its name and action, in valid tokens', () => {
  expect(githubType('issues', 'opened')).toBe('github.issues.opened')
  expect(githubType('push')).toBe('github.push')
  expect(githubType('check run', 'a.b')).toBe('github.check-run.a-b')
})

test('publishes the GitHub deliveries in rounds until there are enough', async () => {
  const events = await loadEvents({ kind: 'github', count: 1_000 })
  expect(events.total).toBe(1_000)
  const types = Array.from({ length: 1_000 }, (_, i) => events.at(i + 1).type)
  expect(types.every((type) => isType(type) && type.startsWith('github.'))).toBe(true)
  expect(types).toContain('github.issues.opened')
  const round = types.indexOf(types[0] ?? '', 500)
  expect(round).toBeGreaterThan(0)
  expect(new Set(types).size).toBeGreaterThan(100)
})

test('reads one event a line and skips empty lines', async () => {
  const events = await load(
    '\uFEFF{"type":"order.created","payload":{"total":3}}\r\n\r\n{"type":"order.paid","payload":null,"id":"e-2"}\n',
  )
  expect(events.total).toBe(2)
  expect(events.at(1)).toEqual({ type: 'order.created', payload: { total: 3 }, init: {} })
  expect(events.at(2)).toEqual({ type: 'order.paid', payload: null, init: { id: 'e-2' } })
})

test('reads the shape of the wire too', async () => {
  const metadata = {
    timestamp: '2026-01-02T03:04:05Z',
    source: 'shop',
    correlation_id: 'c',
    trace: 1,
  }
  const line = { id: 'e-1', event_type: 'order.created', payload: [1], metadata }
  const events = await load(JSON.stringify(line))
  const timestamp = Date.UTC(2026, 0, 2, 3, 4, 5)
  expect(events.at(1)).toEqual({
    type: 'order.created',
    payload: [1],
    init: { id: 'e-1', timestamp, source: 'shop', correlationId: 'c', trace: 1 },
  })
})

test.each([
  ['{"type":', 'JSON'],
  ['[]', 'Expected a JSON object'],
  ['{"type":"a..b","payload":1}', '`a..b`'],
  ['{"payload":1}', '`type`'],
  ['{"type":"a"}', 'Expected a `payload`'],
  ['{"type":"a","event_type":"a","payload":1}', 'got both'],
  ['{"type":"a","payload":1,"playload":2}', 'got `playload`'],
  ['{"type":"a","payload":1,"id":"a b"}', '`id`'],
  ['{"type":"a","payload":1,"metadata":[]}', '`metadata` to be an object'],
  ['{"type":"a","payload":1,"metadata":{"timestamp":"soon"}}', '`metadata.timestamp`'],
  ['{"type":"a","payload":1,"metadata":{"source":7}}', '`metadata.source`'],
])('names file and line of the bad event %s', async (line, reason) => {
  const path = await fileOf(`{"type":"a","payload":1}\n${line}\n`)
  const error: unknown = await loadEvents({ kind: 'file', path }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(BadInputError)
  const { message } = error as BadInputError
  expect(message.startsWith(`${path}:2: `)).toBe(true)
  expect(message).toContain(reason)
})

test('names a file that is not there, and one without events', async () => {
  const missing = loadEvents({ kind: 'file', path: 'no-such.jsonl' })
  await expect(missing).rejects.toThrow(/^no-such\.jsonl: .*ENOENT/)
  const path = await fileOf('\n\n')
  await expect(loadEvents({ kind: 'file', path })).rejects.toThrow(`${path}: there is no event`)
})
