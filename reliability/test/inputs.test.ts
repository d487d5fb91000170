/** The table of bad inputs, and what its outcomes are compared with. */
import { expect, test } from 'vitest'
import { GROUPS, type Group } from '../src/inputs/group.ts'
import { isSame, movedBetween } from '../src/inputs/hub-figures.ts'
import { HUBS } from '../src/inputs/hubs.ts'
import { TABLE } from '../src/inputs/table.ts'
import { frame, readFrame } from '../src/raw/frame.ts'
import { handshake } from '../src/raw/handshake.ts'

test.each(Object.entries(TABLE))('the group %s has its rows, each once', (group, rows) => {
  expect(rows.length).toBeGreaterThanOrEqual(GROUPS[group as Group])
  const names = rows.map(({ name }) => name)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  for (const { hub } of rows) expect(Object.keys(HUBS)).toContain(hub)
})

test('figures that moved otherwise are seen, whichever way', () => {
  const moved = movedBetween({ a: 1, b: 2 }, { a: 1, b: 5, c: 1 })
  expect(moved).toEqual({ b: 3, c: 1 })
  expect(isSame(moved, { b: 3, c: 1, a: 0 })).toBe(true)
  for (const want of [{ b: 3 }, { b: 3, c: 1, d: 1 }, { b: 2, c: 1 }]) {
    expect(isSame(moved, want)).toBe(false)
  }
})

test.each([0, 125, 126, 65_535, 65_536])(
  'a frame of %i bytes is read as it was written',
  (length) => {
    const payload = Buffer.alloc(length, 'x')
    const bytes = Buffer.concat([frame({ payload, masked: false }), Buffer.from('more')])
    const read = { frame: { opcode: 1, fin: true, payload }, to: bytes.length - 4 }
    expect(readFrame(bytes, 0)).toEqual(read)
    expect(readFrame(bytes.subarray(0, -5), 0)).toBeUndefined()
  },
)

test('a header of the handshake may be replaced, left out or added', () => {
  const text = handshake({ replace: { host: undefined, upgrade: 'Upgrade: h2c' }, lines: ['A: b'] })
  expect(text).not.toMatch(/^host:/im)
  expect(text).toMatch(/^Upgrade: h2c\r$/m)
  expect(text).toMatch(/A: b\r\n\r\n$/)
})
