/** The table of RFC 6455: that it is whole, that its wants are right, and that a wrong end would be seen. */
import { seededRandom } from '@bus/testing/chaos'
import { describe, expect, test } from 'vitest'
import { ClientSide } from '../src/rfc6455/client-side.ts'
import { OPCODE } from '../src/raw/frame.ts'
import { FrameReader, frameBytes } from '../src/rfc6455/frames.ts'
import { HubSide } from '../src/rfc6455/hub-side.ts'
import { saidText, text, type Row } from '../src/rfc6455/row.ts'
import { ROWS } from '../src/rfc6455/table.ts'
import { playRows } from '../src/suites/rfc6455.ts'

const random = seededRandom(1)

function rowsNamed(...ids: string[]): Row[] {
  return ids.map((id) => {
    const found = ROWS.find((row) => row.id === id)
    if (found === undefined) throw new Error(`No row ${id}`)
    return found
  })
}

test('the table has as many rows of each group as Autobahn has, and each once', () => {
  const counts: Record<string, number> = {}
  for (const { id } of ROWS) {
    const [group = ''] = id.split('.', 1)
    counts[group] = (counts[group] ?? 0) + 1
  }
  expect(counts).toEqual({
    1: 16,
    2: 11,
    3: 7,
    4: 10,
    5: 20,
    6: 145,
    7: 37,
    8: 10,
  })
  expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length)
})

test('what the rows of group 6 expect is what a decoder of the platform says', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const isText = (bytes: Buffer): boolean => {
    try {
      decoder.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  const rows = ROWS.filter(({ id }) => id.startsWith('6.'))
  const wrong = rows.filter(({ frames, want }) => {
    const whole = Buffer.concat(frames.map(({ payload }) => payload))
    return isText(whole) ? want.messages[0]?.bytes.equals(whole) !== true : want.close !== 1007
  })
  expect(wrong).toEqual([])
})

/** One row of each kind of outcome, each with something else expected of it. */
const WRONG: readonly (readonly [what: string, id: string, change: Partial<Row['want']>])[] = [
  ['another close code', '3.1', { close: 1007 }],
  ['no close', '6.3.1', { close: undefined }],
  ['another message', '1.1.2', { messages: [saidText('x')] }],
  ['no message', '5.3', { messages: [] }],
  ['binary for text', '6.2.4', { messages: [{ kind: 'binary', bytes: Buffer.from('x') }] }],
  ['no pong', '2.4', { pongs: [] }],
  ['a pong', '2.7', { pongs: [Buffer.from('x')] }],
]

describe.each([
  ['hub', HubSide],
  ['client', ClientSide],
] as const)('against the %s', (_name, Side) => {
  test('a row is passed only with exactly what it wants', async () => {
    await using side = await Side.start(random)
    const rows = WRONG.map(([what, id, change]) => {
      const [good] = rowsNamed(id) as [Row]
      return { ...good, about: what, want: { ...good.want, ...change } }
    })
    const failures = await playRows(side, rows)
    expect(failures.map((line) => line.split(': expected')[0])).toEqual(
      WRONG.map(([what, id]) => `${id} ${what}`),
    )
    // The sides are as good as new behind each of them.
    expect(await playRows(side, rowsNamed(...WRONG.map(([, id]) => id)))).toEqual([])
  })
})

test('frames are read as they were written, masked or not, in pieces of any size', () => {
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const payload = Buffer.alloc(length, 'abc')
    for (const isClient of [true, false]) {
      const bytes = frameBytes(text(payload, { fin: false }), isClient, random)
      const reader = new FrameReader()
      const middle = Math.floor(bytes.length / 2)
      const frames = [bytes.subarray(0, 1), bytes.subarray(1, middle), bytes.subarray(middle)]
      const [frame, ...more] = frames.flatMap((piece) => reader.take(piece))
      expect(more).toEqual([])
      expect(frame).toMatchObject({ opcode: OPCODE.text, fin: false })
      expect(frame?.payload.equals(payload)).toBe(true)
    }
  }
})
