/**
 * What the conformance suite found, in documents: docs/conformance.md, and the table of docs/guarantees.md. Both are
 * made from docs/conformance.json, which the suite writes and compares.
 */

const BEGIN = '<!-- guarantees -->'
const END = '<!-- /guarantees -->'

/** The reports that docs/guarantees.md shows, and what it calls them. */
const COLUMNS = {
  memory: 'memory',
  '@bus/websocket, bus.v1': 'WebSocket with our hub',
  '@bus/websocket, plain JSON': 'WebSocket, other servers',
}

const HEAD = `# Conformance

What each transport promises, and how the cases of \`@bus/testing/conformance\` ended on it. This page and
[conformance.json](conformance.json) are written by \`npm run conformance\`; the tests fail when they are no longer true.

_Not promised_: the transport does not claim it, so there is nothing to test. _Not exercised_: this medium cannot be broken in the
way that the case needs. _Reserved_: the contract has no such promise, and the id stays free.

`

/** The whole of docs/conformance.md. @param toMarkdown - of `@bus/testing/conformance` */
export function conformancePage(reports, { toMarkdown }) {
  return `${HEAD}${toMarkdown(reports)}\n`
}

/** The page with its table as it should be; `undefined`: it has no place for one. */
export function withGuarantees(page, reports, { guaranteesTable }) {
  const [before, rest] = split(page, BEGIN)
  const [, after] = split(rest ?? '', END)
  if (after === undefined) return undefined
  const shown = Object.keys(COLUMNS).flatMap((name) =>
    reports.filter((report) => report.name === name && report.variant === ''),
  )
  const titled = guaranteesTable(shown, ({ name }) => COLUMNS[name])
  return `${before}${BEGIN}\n\n${titled}\n\n${END}${after}`
}

/** Where the documents differ from the reports. */
export function checkConformance(read, reportFile, tables) {
  const text = read(reportFile)
  if (text === undefined) return [{ file: reportFile, message: 'is missing: npm run conformance' }]
  const reports = JSON.parse(text)
  const expected = {
    'docs/conformance.md': conformancePage(reports, tables),
    'docs/guarantees.md': withGuarantees(read('docs/guarantees.md') ?? '', reports, tables),
  }
  return Object.entries(expected).flatMap(([file, wanted]) => {
    if (wanted === undefined) return [{ file, message: `has no ${BEGIN} … ${END}` }]
    if (plain(wanted) === plain(read(file) ?? '')) return []
    return [{ file, message: 'differs from the conformance reports: npm run docs' }]
  })
}

function split(text, mark) {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + mark.length)]
}

/** Without what the formatter decides: the width of columns. */
function plain(text) {
  return text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---')
}
