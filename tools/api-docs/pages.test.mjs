import { expect, test } from 'vitest'
import { differences, indexPage, missingExports, pageOf } from './pages.mjs'

const entry = { name: '@bus/core/memory', values: 2, types: 1 }

test('an entry point has one page, which the index links with what it exports', () => {
  expect(pageOf('@bus/core')).toBe('core.md')
  expect(pageOf('@bus/core/memory')).toBe('core-memory.md')
  expect(indexPage([entry])).toContain('| [`@bus/core/memory`](core-memory.md) | 2 | 1 |')
})

test('an export is on the page of its entry point when it has a heading there', () => {
  const headings = ['createBus()', '`abstract` BusError', 'MAX\\_DEPTH', 'Bus\\<M\\>']
  const pages = new Map([['core-memory.md', headings.map((text) => `### ${text}\n`).join('\n')]])
  const exported = ['createBus', 'BusError', 'MAX_DEPTH', 'Bus']
  expect(missingExports({ ...entry, exported }, pages)).toEqual([])
})

test('an export without a heading, or without a page, is reported', () => {
  const pages = new Map([['core-memory.md', '# Bus\n\n### BusEvents\n\n#### close()\n']])
  const missing = (name) => `docs/api/${name}, which @bus/core/memory exports, is missing`
  expect(missingExports({ ...entry, exported: ['Bus', 'close'] }, pages)).toEqual([
    missing('core-memory.md: Bus'),
    missing('core-memory.md: close'),
  ])
  expect(missingExports({ ...entry, exported: ['Bus'] }, new Map())).toEqual([
    missing('core-memory.md: Bus'),
  ])
})

test('a page that changed, appeared or disappeared is not up to date', () => {
  const present = new Map(Object.entries({ 'same.md': 'a', 'old.md': 'a', 'changed.md': 'a' }))
  const written = new Map(Object.entries({ 'same.md': 'a', 'new.md': 'a', 'changed.md': 'b' }))
  expect(differences(present, written)).toEqual(
    ['old.md', 'changed.md', 'new.md'].map(
      (page) => `docs/api/${page} is not up to date: run \`npm run docs:api\``,
    ),
  )
})
