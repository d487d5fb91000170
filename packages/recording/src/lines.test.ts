import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { linesOf } from './lines.ts'

async function linesIn(content: string | Uint8Array, maxChars?: number) {
  const directory = await mkdtemp(join(tmpdir(), 'lines-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'file')
  await writeFile(path, content)
  const lines: (string | undefined)[] = []
  for await (const line of linesOf(path, maxChars)) lines.push(line)
  return lines
}

test.each([
  ['', []],
  ['\n', ['']],
  ['a', ['a']],
  ['a\n', ['a']],
  ['a\n\nb', ['a', '', 'b']],
  ['a\r\nb', ['a\r', 'b']],
])('a file of %j has the lines %j', async (content, lines) => {
  expect(await linesIn(content)).toEqual(lines)
})

test('lines are whole, also where a read ends in the middle of a character', async () => {
  const long = 'ü'.repeat(40_000)
  // One byte first, so that every character straddles an even position.
  expect(await linesIn(`x${long}\n${long}\n`)).toEqual([`x${long}`, long])
})

test('a line that is too long is left out, whatever follows it', async () => {
  expect(await linesIn(`12345\n123456\n${'x'.repeat(200_000)}\nlast`, 5)).toEqual([
    '12345',
    undefined,
    undefined,
    'last',
  ])
  expect(await linesIn('123456', 5)).toEqual([undefined])
})
