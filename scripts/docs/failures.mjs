/**
 * The catalogue of failures: every row names the tests that show its behaviour, and every test that names a row is in it.
 *
 * | #  | failure           | behaviour                 | tests                                     |
 * | F1 | A half-open link. | Found within idle limit.  | [liveness.test.ts](../packages/…/liveness.test.ts) |
 *
 * A test names its rows at the end of its title: `test('finds a dead peer within the idle limit [F1, F9]', …)`; so may a
 * `describe`, for all in it. A row without tests says `not covered:` and why.
 */
import { posix } from 'node:path'
import { parse, walk } from '../source/source-file.mjs'
import { links, tableRows } from './markdown.mjs'

const COLUMNS = ['#', 'failure', 'behaviour', 'tests']
const TAG = /\[(F\d+(?:, F\d+)*)\]$/

/** What is wrong with the catalogue. @param tests - the test files under `packages/<name>/test`, as `{ path, text }` */
export function checkFailures(file, text, tests) {
  const rows = tableRows(text, COLUMNS)
  const named = new Map(tests.map(({ path, text: source }) => [path, failuresNamed(path, source)]))
  const problems = rows.flatMap(({ cells, line }, index) => {
    const [id, failure, behaviour, evidence] = cells
    const messages = []
    if (cells.length !== COLUMNS.length) messages.push(`has ${cells.length} cells`)
    else if (id !== `F${index + 1}`) messages.push(`row ${id} stands where F${index + 1} belongs`)
    else if (failure === '' || behaviour === '') messages.push(`${id} says too little`)
    else messages.push(...checkTests(id, evidence, posix.dirname(file), named))
    return messages.map((message) => ({ file, line, message }))
  })
  const known = new Set(rows.map(({ cells }) => cells[0]))
  for (const [path, ids] of named) {
    for (const id of ids) {
      if (!known.has(id))
        problems.push({ file: path, message: `names ${id}, which ${file} has not` })
    }
  }
  return problems
}

function checkTests(id, evidence, directory, named) {
  const linked = links(evidence).map(({ target }) => posix.join(directory, target))
  if (linked.length === 0 && !evidence.startsWith('not covered: ')) {
    return [`${id} links no test and gives no reason`]
  }
  const naming = [...named].filter(([, ids]) => ids.has(id)).map(([path]) => path)
  return [
    ...linked.filter((path) => !naming.includes(path)).map((path) => `${path} does not name ${id}`),
    ...naming.filter((path) => !linked.includes(path)).map((path) => `${id} does not link ${path}`),
  ]
}

/** The rows that the tests of a file name. */
function failuresNamed(path, text) {
  const ids = new Set()
  walk(parse(path, text).program, (node) => {
    if (node.type !== 'CallExpression') return
    const [first] = node.arguments
    const title =
      first?.type === 'Literal'
        ? first.value
        : first?.type === 'TemplateLiteral'
          ? first.quasis.at(-1).value.cooked
          : undefined
    const tag = typeof title === 'string' ? TAG.exec(title) : null
    for (const id of tag?.[1].split(', ') ?? []) ids.add(id)
  })
  return ids
}

/** A test's title without the rows that it names. */
export const withoutTag = (title) => title.replace(TAG, '').trimEnd()
