/**
 * The catalogue of failures: docs/failures.json, and the page docs/reliability.md that is written from it. Every row names the
 * test files that show its behaviour, and every test that names a row is in one of them.
 *
 *     { "number": "F1", "group": "Liveness", "failure": "A peer vanishes.", "behaviour": "Both sides ping.",
 *       "tests": ["packages/…/liveness.test.ts"] }
 *
 * A test names its rows at the end of its title: `test('finds a dead peer within the idle limit [F1, F9]', …)`; so may a
 * `describe`, for all in it. A row without tests has `notCovered`, which says why.
 */
import { parse, walk } from '../source/source-file.mjs'
import { fileLinks, table } from './markdown.mjs'

const TAG = /\[(F\d+(?:, F\d+)*)\]$/

const HEAD = `# Reliability

How a WebSocket event transport fails, what ours does then, and the first of the test files that show it; \`+2\` says that there are
two more. A test names the rows that it shows at the end of its title, as in \`[F1]\`, so \`git grep 'F1\\b' -- '*.test.ts'\` finds
all of them. Suites that run longer than a test are in [reliability](../reliability/README.md). The page is written from
[failures.json](failures.json) by \`npm run docs\`.
`

/** The whole of docs/reliability.md. */
export function failuresPage(rows) {
  const cells = ({ number, failure, behaviour, tests = [], notCovered }) => [
    number,
    failure,
    behaviour,
    notCovered === undefined ? fileLinks(tests) : `not covered: ${notCovered}`,
  ]
  return `${HEAD}\n${table(rows, ['#', 'failure', 'behaviour', 'tests'], cells)}`
}

/** What is wrong with the rows. @param sources - all test files, as `{ path, text }` */
export function checkFailures(file, rows, sources) {
  const named = new Map(
    sources
      .map(({ path, text }) => [path, failuresNamed(path, text)])
      .filter(([, ids]) => ids.size > 0),
  )
  const problems = rows.flatMap((row, index) => {
    const messages = []
    if (row.number !== `F${index + 1}`) messages.push(`is at the place of F${index + 1}`)
    if (!row.group || !row.failure || !row.behaviour) messages.push('is not filled in')
    messages.push(...checkTests(row, named))
    return messages.map((message) => ({ file, message: `${row.number}: ${message}` }))
  })
  const known = new Set(rows.map(({ number }) => number))
  for (const [path, ids] of named) {
    for (const id of ids) {
      if (!known.has(id))
        problems.push({ file: path, message: `names ${id}, which is not in ${file}` })
    }
  }
  return problems
}

function checkTests({ number, tests = [], notCovered }, named) {
  if (tests.length === 0 && !notCovered) return ['has no tests and gives no reason']
  const naming = [...named].filter(([, ids]) => ids.has(number)).map(([path]) => path)
  return [
    ...tests.filter((path) => !naming.includes(path)).map((path) => `${path} does not name it`),
    ...naming.filter((path) => !tests.includes(path)).map((path) => `leaves out ${path}`),
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
