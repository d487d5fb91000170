import { describe, expect, it } from 'vitest'
import { checkFigures, figuresBlock, withFigures } from './figures.mjs'

const suite = (figures, bars = { lost: '0 = 0' }) => ({
  ok: true,
  size: 'full',
  origin: { commit: '0123456789', versions: { node: 'v20.1.0', ws: '8.0.0' }, cores: 2 },
  bars,
  figures,
})

const published = {
  gaps: suite({ publishes: 200_000, subscribers: [{ lost: 10, gapSize: 10 }] }),
  processes: suite({ cases: 18, misses: [] }),
}
const document = `before\n${figuresBlock(published)}\nafter\n`

describe('the figures that the page of guarantees quotes', () => {
  it('are a row for each suite that was published, and where they come from', () => {
    const rows = document.split('\n').filter((line) => line.startsWith('| '))
    expect(rows.slice(2)).toEqual([
      '| gaps | 200,000 publishes to readers that are too slow for them | 10 missed, 10 reported in gaps |',
      '| processes | 18 cases of processes frozen, killed or terminated | 18 with their exact outcome |',
    ])
    expect(document).toContain('On 2 cores with Node 20.1.0 and ws 8.0.0, at `0123456`')
  })

  it('are compared with the file, whatever spaces a formatter puts into the table', () => {
    const formatted = document
      .replace('| gaps |', '| gaps      |')
      .replace('| --- |', '| --------- |')
    expect(checkFigures('docs/guarantees.md', formatted, published)).toEqual([])
    const other = formatted.replace('10 missed', '9 missed')
    expect(checkFigures('docs/guarantees.md', other, published)).toMatchObject([{ line: 2 }])
    expect(checkFigures('docs/guarantees.md', 'nothing', published)).toHaveLength(1)
    expect(withFigures(other, published)).toBe(document)
  })

  it('say so where a bar was missed, and where the run was no full one', () => {
    const missed = suite({ cases: 18, misses: [{}] }, { 'a case': '1 instead of = 0' })
    const block = figuresBlock({ processes: { ...missed, size: 'quick' } })
    expect(block).toContain('| processes (quick run) |')
    expect(block).toContain('**a bar was missed**: 17 with their exact outcome')
  })
})
