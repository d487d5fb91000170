import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatEntry, parseEntry, type RecordingEntry } from './entry.ts'
import { RecordingError } from './recording-error.ts'

const at = Date.UTC(2026, 0, 20, 15, 30, 45, 123)
const TS = '2026-01-20T15:30:45.123Z'

/** The problem of the error that parsing this line throws. */
function problemOf(line: string): string {
  try {
    parseEntry(line)
  } catch (error) {
    if (error instanceof RecordingError) return error.problem
    throw error
  }
  return 'none'
}

const LINES: readonly (readonly [RecordingEntry, string])[] = [
  [
    { at, direction: 'in', kind: 'text', data: 'hel"lo' },
    `{"ts":"${TS}","dir":"in","type":"text","data":"hel\\"lo"}`,
  ],
  [
    { at, direction: 'out', kind: 'binary', data: new Uint8Array([1, 2, 255]) },
    `{"ts":"${TS}","dir":"out","type":"binary","data":"AQL/","binary":true}`,
  ],
  [
    { at, direction: 'in', kind: 'close', code: 1001, reason: 'bye' },
    `{"ts":"${TS}","dir":"in","type":"close","data":"{\\"code\\":1001,\\"reason\\":\\"bye\\"}"}`,
  ],
  [
    { at, direction: 'out', kind: 'ping', data: new Uint8Array([7]) },
    `{"ts":"${TS}","dir":"out","type":"ping","data":"Bw==","binary":true}`,
  ],
  [
    { at, direction: 'in', kind: 'pong', data: new Uint8Array() },
    `{"ts":"${TS}","dir":"in","type":"pong","data":"","binary":true}`,
  ],
  [
    { at, direction: 'out', kind: 'open', url: 'ws://h/', protocol: 'bus.v1' },
    `{"ts":"${TS}","dir":"out","type":"open","data":"{\\"url\\":\\"ws://h/\\",\\"protocol\\":\\"bus.v1\\"}"}`,
  ],
]

describe('a line', () => {
  test.each(LINES)('of %o is exactly this', (entry, line) => {
    expect(formatEntry(entry)).toBe(line)
    expect(parseEntry(line)).toEqual(entry)
  })

  test('of any entry is read as that entry, and has no line break', () => {
    const moment = {
      at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
      direction: fc.constantFrom('in' as const, 'out' as const),
    }
    const data = fc.uint8Array({ maxLength: 40 })
    const entry: fc.Arbitrary<RecordingEntry> = fc.oneof(
      fc.record({
        ...moment,
        kind: fc.constant('text' as const),
        data: fc.string({ unit: 'binary' }),
      }),
      fc.record({ ...moment, kind: fc.constantFrom('binary' as const, 'ping', 'pong'), data }),
      fc.record({
        ...moment,
        kind: fc.constant('close' as const),
        code: fc.integer({ min: 1000, max: 4999 }),
        reason: fc.string(),
      }),
      fc.record({
        ...moment,
        kind: fc.constant('open' as const),
        url: fc.webUrl(),
        protocol: fc.string(),
      }),
    )
    fc.assert(
      fc.property(entry, (given) => {
        const line = formatEntry(given)
        expect(line).not.toMatch(/[\r\n]/)
        expect(parseEntry(line)).toEqual(given)
      }),
    )
  })

  test.each([
    ['json', 'no JSON'],
    ['json', '[]'],
    ['json', 'null'],
    ['time', '{"dir":"in","type":"text","data":""}'],
    ['time', '{"ts":"yesterday","dir":"in","type":"text","data":""}'],
    ['time', '{"ts":1,"dir":"in","type":"text","data":""}'],
    ['direction', `{"ts":"${TS}","dir":"up","type":"text","data":""}`],
    ['direction', `{"ts":"${TS}","type":"text","data":""}`],
    ['type', `{"ts":"${TS}","dir":"in","type":"odd","data":""}`],
    ['type', `{"ts":"${TS}","dir":"in","data":""}`],
    ['data', `{"ts":"${TS}","dir":"in","type":"text"}`],
    ['data', `{"ts":"${TS}","dir":"in","type":"close","data":"bye"}`],
    ['data', `{"ts":"${TS}","dir":"in","type":"close","data":"{}"}`],
    ['data', `{"ts":"${TS}","dir":"in","type":"close","data":"{\\"code\\":1000,\\"reason\\":1}"}`],
  ])('with a bad %s is a typed error: %s', (problem, line) => {
    expect(problemOf(line)).toBe(problem)
  })

  test('whose bytes are not base64 gives them as they stand', () => {
    const line = `{"ts":"${TS}","dir":"in","type":"binary","data":"not base64!","binary":true}`
    expect(parseEntry(line)).toMatchObject({ data: new Uint8Array(Buffer.from('not base64!')) })
  })

  test('with microseconds, as others write them, is read to the millisecond', () => {
    const line = '{"ts":"2026-01-20T15:30:45.123456Z","dir":"out","type":"text","data":"hello"}'
    expect(parseEntry(line)).toEqual({ at, direction: 'out', kind: 'text', data: 'hello' })
  })
})
