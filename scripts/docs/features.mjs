/**
 * The table of features: docs/features.json, and the page that is written from it. Every row that claims to be done names a
 * test that exists.
 *
 *     { "number": "41", "group": "Reader and writer", "feature": "A bounded outbound queue", "state": "done",
 *       "evidence": [{ "file": "packages/…/outbox.test.ts", "test": "never grows beyond its capacity" }] }
 *
 * `state` is `done`, `partly` or `planned`. `done` and `partly` need evidence: test files, as paths from the root, and the
 * title of a `test` or `it` in each, letter by letter (of a `test.each`, with its placeholders), without the failures that it
 * names in brackets at its end. `planned` needs a `note` instead, and `partly` may have one.
 */
import { parse, walk } from '../source/source-file.mjs'
import { withoutTag } from './failures.mjs'
import { fileLinks, table } from './markdown.mjs'

const STATES = ['done', 'partly', 'planned']

const HEAD = `# Features

What the specification asks for, with its numbers; numbers with a letter go beyond it. Each row links the first of the tests that
show it, \`+2\` says that there are two more, and [features.json](features.json) names them all. The page is written from there by
\`npm run docs\`.
`

/** The whole of docs/features.md. */
export function featuresPage(rows) {
  const cells = ({ number, feature, state, evidence = [], note }) => [
    number,
    feature,
    state,
    [fileLinks(evidence.map(({ file }) => file)), note].filter(Boolean).join(' '),
  ]
  return `${HEAD}\n${table(rows, ['#', 'feature', 'state', 'tests'], cells)}`
}

/** What is wrong with the rows; `readTest(path)` gives a test file's text, or `undefined`. */
export function checkFeatures(file, rows, readTest) {
  const namesOf = cached((path) => {
    const source = readTest(path)
    return source === undefined ? undefined : testNames(path, source)
  })
  const seen = new Set()
  return rows.flatMap((row) => {
    const repeated = seen.has(row.number)
    seen.add(row.number)
    const messages = [...(repeated ? ['is there twice'] : []), ...checkRow(row, namesOf)]
    return messages.map((message) => ({ file, message: `row ${row.number}: ${message}` }))
  })
}

function checkRow({ number, group, feature, state, evidence = [], note }, namesOf) {
  if (!/^\d+[a-z]?$/.test(number)) return ['its number is no number']
  if (!group || !feature) return ['has no group or no feature']
  if (!STATES.includes(state)) return [`\`${state}\` is none of ${STATES.join(', ')}`]
  if (state === 'planned') return note ? [] : ['has no note that says what is planned']
  if (evidence.length === 0) return ['has no evidence']
  return evidence.flatMap(({ file, test }) => {
    const names = namesOf(file)
    if (names === undefined) return [`${file} does not exist`]
    return names.has(test) ? [] : [`${file} has no test "${test}"`]
  })
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
