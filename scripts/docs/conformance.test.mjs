import { describe, expect, test } from 'vitest'
import { checkConformance, conformancePage, withGuarantees } from './conformance.mjs'

const tables = {
  toMarkdown: (reports) => reports.map(({ name, cases }) => `| ${name} | ${cases} |`).join('\n'),
  guaranteesTable: (reports, titleOf) =>
    reports.map((report) => `| ${titleOf(report)} | ${report.cases} |`).join('\n'),
}
const reports = [
  { name: '@bus/websocket, plain JSON', variant: '', cases: 'two' },
  { name: 'memory', variant: '', cases: 'one' },
  { name: 'memory', variant: 'other', cases: 'not shown' },
]
const PAGE = 'before\n<!-- guarantees -->\nold\n<!-- /guarantees -->\nafter'

describe('the documents of conformance', () => {
  test('the page gets the table of the transports that it shows, in its order, and nothing else changes', () => {
    expect(withGuarantees(PAGE, reports, tables)).toBe(
      'before\n<!-- guarantees -->\n\n| memory | one |\n| WebSocket, other servers | two |\n\n<!-- /guarantees -->\nafter',
    )
    expect(withGuarantees('no place', reports, tables)).toBeUndefined()
  })

  const files = {
    'docs/conformance.json': JSON.stringify(reports),
    'docs/conformance.md': conformancePage(reports, tables),
    'docs/guarantees.md': withGuarantees(PAGE, reports, tables),
  }
  const check = (changed) =>
    checkConformance(
      (path) => ({ ...files, ...changed })[path],
      'docs/conformance.json',
      tables,
    ).map(({ file }) => file)

  test('agree with the reports, whatever the width of their columns', () => {
    const wide = files['docs/guarantees.md'].replace('| one |', '| one      |')
    expect(check({ 'docs/guarantees.md': wide })).toEqual([])
  })

  test('are found where they say otherwise, or are missing', () => {
    expect(
      check({ 'docs/guarantees.md': files['docs/guarantees.md'].replace('one', 'none') }),
    ).toEqual(['docs/guarantees.md'])
    expect(check({ 'docs/guarantees.md': 'no place' })).toEqual(['docs/guarantees.md'])
    expect(check({ 'docs/conformance.md': undefined })).toEqual(['docs/conformance.md'])
    expect(check({ 'docs/conformance.json': undefined })).toEqual(['docs/conformance.json'])
  })
})
