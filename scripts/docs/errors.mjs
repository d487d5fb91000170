/** The document of errors, compared with the classes, codes and close codes of the sources. */
import { parse, walk } from '../source/source-file.mjs'
import { tableRows } from './markdown.mjs'

const ERROR_COLUMNS = ['class', 'code', 'category', 'retryable', 'when', 'what to do']
const CLOSE_COLUMNS = ['code', 'name', 'retryable', 'meaning']

/** The error classes of the sources: name, code, category. */
export function errorClasses(sources) {
  const found = []
  for (const { path, text } of sources) {
    walk(parse(path, text).program, (node) => {
      if (node.type !== 'ClassDeclaration' || node.superClass?.name !== 'BusError') return
      const fixed = (name) =>
        node.body.body.find((item) => item.key?.name === name && item.value?.type === 'Literal')
          ?.value.value
      found.push({ name: node.id.name, code: fixed('code'), category: fixed('category') })
    })
  }
  return found
}

/** The members of the union `BusErrorCode`. */
export function errorCodes(sources) {
  const codes = []
  for (const { path, text } of sources) {
    walk(parse(path, text).program, (node) => {
      if (node.type !== 'TSTypeAliasDeclaration' || node.id.name !== 'BusErrorCode') return
      walk(node.typeAnnotation, (part) => {
        if (part.type === 'TSLiteralType') codes.push(part.literal.value)
      })
    })
  }
  return codes
}

const plain = (cell) => cell.replaceAll('`', '')
const yesNo = (value) => (value ? 'yes' : 'no')

/** What the document says wrongly or not at all. `closeCodes` are rows `{ code, name, retryable, sentence }`. */
export function checkErrors(file, text, { classes, codes, closeCodes }) {
  const problems = []
  const report = (line, message) => problems.push({ file, line, message })
  const covered = new Set(classes.map(({ code }) => code))
  for (const code of codes.filter((item) => !covered.has(item))) {
    report(undefined, `the code ${code} has no class`)
  }
  const expected = new Map(
    classes.map(({ name, code, category }) => [
      name,
      [name, code, category, yesNo(category === 'transient')],
    ]),
  )
  compare(tableRows(text, ERROR_COLUMNS), expected, ERROR_COLUMNS, report)
  const closing = new Map(
    closeCodes.map(({ code, name, retryable, sentence }) => [
      String(code),
      [String(code), name, yesNo(retryable), sentence],
    ]),
  )
  compare(tableRows(text, CLOSE_COLUMNS), closing, CLOSE_COLUMNS, report)
  return problems
}

/** Each expected row stands once, its first cells as expected and the others not empty. */
function compare(rows, expected, columns, report) {
  const missing = new Set(expected.keys())
  for (const { cells, line } of rows) {
    const key = plain(cells[0])
    const want = expected.get(key)
    if (want === undefined) report(line, `${key} is not in the sources`)
    else if (!missing.delete(key)) report(line, `${key} stands twice`)
    else {
      for (const [index, column] of columns.entries()) {
        const got = plain(cells[index] ?? '')
        const wanted = want[index] === undefined ? undefined : plain(want[index])
        if (wanted === undefined ? got === '' : got !== wanted) {
          report(line, `${key}: ${column} should be ${wanted ?? 'filled in'}, is "${got}"`)
        }
      }
    }
  }
  for (const key of missing) report(undefined, `${key} is missing`)
}
