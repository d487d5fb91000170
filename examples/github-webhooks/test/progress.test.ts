import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { Progress, type Bar } from '../src/progress.ts'

/** A screen that keeps what is written, and the view on it. */
function setUp({ isTTY = false, colour = false } = {}): { text: () => string; progress: Progress } {
  const written: string[] = []
  const screen = { isTTY, columns: 80, write: (text: string) => written.push(text) }
  const progress = new Progress({ screen, colour, now: () => 0 })
  return { text: () => written.join(''), progress }
}

function grow(progress: Progress, bar: Bar, by: number, times: number): void {
  for (let i = 0; i < times; i++) {
    bar.events += by
    progress.changed()
  }
}

test('prints plain lines, one per tenth, where there is no terminal', () => {
  const { text, progress } = setUp()
  const bar = { name: 'published', of: 2_000, events: 0 }
  progress.show([bar])
  progress.say('red', 'cutting a link')
  grow(progress, bar, 20, 100)
  progress.stop()
  const lines = text().trimEnd().split('\n')
  expect(lines[0]).toBe('  0.00 s  cutting a link')
  expect(lines).toHaveLength(11)
  expect(lines.at(-1)).toBe('  0.00 s  published 2,000')
  expect(stripVTControlCharacters(text())).toBe(text())
})

test('draws bars below the lines in a terminal, and leaves the last state standing', () => {
  const { text, progress } = setUp({ isTTY: true })
  const bar = { name: 'published', of: 2_000, events: 0 }
  progress.show([bar])
  progress.say('red', 'cutting a link')
  grow(progress, bar, 20, 50)
  progress.stop()
  expect(text()).toContain('cutting a link\n\n  published  ░')
  expect(text().endsWith(`${'█'.repeat(15)}${'░'.repeat(15)}  1,000 / 2,000\n`)).toBe(true)
})

test('colours only where colours are welcome', () => {
  const plain = setUp({ isTTY: true })
  plain.progress.say('red', 'cutting a link')
  expect(plain.text()).toBe('  0.00 s  cutting a link\n')
  const coloured = setUp({ isTTY: true, colour: true })
  coloured.progress.say('red', 'cutting a link')
  expect(coloured.text()).toContain('\u001B[31mcutting a link')
})
