import { expect, test } from 'vitest'
import type { Finding } from '../src/report/finding.ts'
import { plotOf } from '../src/report/plot.ts'
import { ratio, spreadOf } from '../src/report/statistics.ts'
import { tableOf } from '../src/report/table.ts'

const finding: Finding = {
  name: 'speed',
  title: 'Speed & more',
  metrics: [
    { key: 'rate', label: 'k/s', divisor: 1_000, digits: 1, better: 'higher' },
    { key: 'rate', label: 'of floor', relativeTo: 'floor', digits: 2, better: 'higher' },
  ],
  reference: 'ours',
  rows: [
    { name: 'floor', note: '', samples: [{ rate: 4_000 }, { rate: 2_000 }, { rate: 4_000 }] },
    { name: 'ours', note: '', samples: [{ rate: 2_000 }, { rate: 1_000 }, { rate: 3_000 }] },
    { name: 'theirs', note: 'plain', samples: [{ rate: 1_000 }, { rate: 500 }, { rate: 600 }] },
    { name: 'gone', note: 'plain', problem: 'missing: not installed', samples: [] },
  ],
}

test('the median of an even number of values lies between the two in the middle', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
  expect(spreadOf([])).toBeUndefined()
})

test('compares figures of the same round only', () => {
  const [, , theirs] = finding.rows
  expect(theirs && ratio(finding, theirs, 'ours', 'rate')).toEqual({
    median: 0.5,
    min: 0.2,
    max: 0.5,
  })
})

test('prints medians with least and most, ratios, and why a row is empty', () => {
  expect(tableOf(finding).split('\n')).toEqual([
    'Speed & more',
    '                  k/s          of floor            × ours',
    'floor   4.0 (2.0–4.0)              1.00  2.00 (1.33–2.00)',
    'ours    2.0 (1.0–3.0)  0.50 (0.50–0.75)              1.00',
    'theirs  0.6 (0.5–1.0)  0.25 (0.15–0.25)  0.50 (0.20–0.50)  plain',
    'gone                –                 –                 –  missing: not installed',
  ])
})

test('draws a bar for each row that was measured', () => {
  const svg = plotOf(finding, (name) => name === 'ours') ?? ''
  expect(svg.match(/<rect/g)).toHaveLength(3)
  expect(svg.match(/class="ours"/g)).toHaveLength(1)
  expect(svg).toContain('Speed &amp; more')
  expect(svg).not.toContain('gone')
})

test('draws nothing where nothing was measured', () => {
  expect(plotOf({ ...finding, rows: [] }, () => true)).toBeUndefined()
})
