/**
 * The table of features: every row that claims to be done names a test that exists.
 *
 * | #  | feature                | state | evidence                                                        |
 * | 41 | Bounded outbound queue | done  | [outbox.test.ts](../packages/…/outbox.test.ts) "never grows…" |
 *
 * `state` is `done`, `partly` or `planned`. `done` and `partly` need evidence: one or more pairs of a link to
 * a test file and a test's name in double quotes, separated by `<br>`. The name is that of a `test` or `it`,
 * letter by letter (of a `test.each`, with its placeholders), without the failures that it names in brackets at its end. `planned` has a sentence instead. A row that is
 * `partly` may end with a sentence after another `<br>`.
 */
import { posix } from 'node:path'
import { parse, walk } from '../source/source-file.mjs'
import { withoutTag } from './failures.mjs'
import { tableRows } from './markdown.mjs'

const COLUMNS = ['#', 'feature', 'state', 'evidence']
const STATES = ['done', 'partly', 'planned']
const EVIDENCE = /^\[([^\]]+)\]\(([^)\s]+)\) "(.+)"$/

/** What is wrong with the table; `readTest(path)` gives a test file's text, or `undefined`. */
export function checkFeatures(file, text, readTest) {
  const rows = tableRows(text, COLUMNS)
  if (rows.length === 0) return [{ file, message: `has no table with ${COLUMNS.join(' | ')}` }]
  const namesOf = cached((path) => {
    const source = readTest(path)
    return source === undefined ? undefined : testNames(path, source)
  })
  const seen = new Set()
  return rows.flatMap(({ cells, line }) => {
    const repeated = seen.has(cells[0])
    seen.add(cells[0])
    const messages = [
      ...(repeated ? [`row ${cells[0]} stands twice`] : []),
      ...checkRow(cells, posix.dirname(file), namesOf),
    ]
    return messages.map((message) => ({ file, line, message }))
  })
}

function checkRow(cells, directory, namesOf) {
  const [number, feature, state, evidence] = cells
  if (cells.length !== COLUMNS.length) return [`has ${cells.length} cells, not ${COLUMNS.length}`]
  if (!/^\d+[a-z]?$/.test(number)) return [`\`${number}\` is not a number`]
  if (feature === '') return ['names no feature']
  if (!STATES.includes(state)) return [`\`${state}\` is none of ${STATES.join(', ')}`]
  if (evidence === '') return ['has no evidence']
  if (state === 'planned') return []
  const parts = evidence.split(/\s*<br>\s*/)
  const remark = state === 'partly' && !EVIDENCE.test(parts.at(-1)) ? parts.pop() : undefined
  if (remark !== undefined && parts.length === 0) return ['names no test']
  return parts.flatMap((part) => checkEvidence(part, directory, namesOf))
}

function checkEvidence(part, directory, namesOf) {
  const match = EVIDENCE.exec(part)
  if (match === null) return [`\`${part}\` is not of the form [file](path) "test name"`]
  const [, label, target, name] = match
  if (!target.endsWith(label)) return [`the link ${label} leads to another file: ${target}`]
  const names = namesOf(posix.join(directory, target))
  if (names === undefined) return [`${target} does not exist`]
  return names.has(name.replaceAll('\\|', '|')) ? [] : [`${target} has no test "${name}"`]
}

/** The names of the tests in a file, as written. */
export function testNames(path, text) {
  const names = new Set()
  walk(parse(path, text).program, (node) => {
    if (node.type !== 'CallExpression' || !['test', 'it'].includes(rootOf(node.callee))) return
    const [first] = node.arguments
    if (first?.type === 'Literal') names.add(withoutTag(String(first.value)))
    else if (first?.type === 'TemplateLiteral' && first.expressions.length === 0) {
      names.add(withoutTag(first.quasis[0].value.cooked))
    }
  })
  return names
}

/** `test` of `test(…)`, `test.skipIf(…)(…)` and `test.each([…])(…)`. */
function rootOf(callee) {
  if (callee.type === 'Identifier') return callee.name
  if (callee.type === 'MemberExpression') return rootOf(callee.object)
  if (callee.type === 'CallExpression' || callee.type === 'TaggedTemplateExpression') {
    return rootOf(callee.callee ?? callee.tag)
  }
  return undefined
}

function cached(compute) {
  const known = new Map()
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key))
    return known.get(key)
  }
}
