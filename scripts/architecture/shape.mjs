/** How a file looks: its size, its name, its first sentence, its state, and what it documents. */
import { posix } from 'node:path'
import { resolve } from './boundaries.mjs'

/** A file above the first is reported, above the second refused. */
const FILE_LINES = { aim: 250, limit: 300 }
const FUNCTION_LINES = 50

const VAGUE = /^(utils?|helpers?|common|manager|misc)([.-]|$)/

/** No file needs a table of contents. */
export function fileSizes({ sources }) {
  return sources
    .filter(({ lines }) => lines > FILE_LINES.limit)
    .map(({ path, lines }) => ({
      file: path,
      message: `${lines} lines, limit ${FILE_LINES.limit}`,
    }))
}

/** Files between the aim and the limit: worth splitting, not an error. */
export function tallFiles({ sources }) {
  return sources
    .filter(({ lines }) => lines > FILE_LINES.aim && lines <= FILE_LINES.limit)
    .map(({ path, lines }) => ({ file: path, message: `${lines} lines, aim ${FILE_LINES.aim}` }))
}

/** No function runs off the screen. */
export function functionSizes({ sources }) {
  return sources.flatMap(({ path, functions }) =>
    functions
      .filter(({ lines }) => lines > FUNCTION_LINES)
      .map(({ name, line, lines }) => ({
        file: path,
        line,
        message: `${name} has ${lines} lines, limit ${FUNCTION_LINES}`,
      })),
  )
}

/** A file is named after its one concept. */
export function fileNames({ sources }) {
  return sources
    .filter(({ path }) => path.split('/').some((part) => VAGUE.test(part)))
    .map(({ path }) => ({ file: path, message: 'the name says nothing about the concept' }))
}

/** Each module opens with one sentence that says what it is; an index only re-exports. */
export function openings({ sources }) {
  return sources
    .filter(({ path, text }) => posix.basename(path) !== 'index.ts' && !text.startsWith('/**'))
    .map(({ path }) => ({ file: path, line: 1, message: 'does not open with a sentence in TSDoc' }))
}

/** Modules hold no state that changes. */
export function moduleState({ sources }) {
  return sources.flatMap(({ path, state }) =>
    state.map((line) => ({ file: path, line, message: 'mutable state at module level' })),
  )
}

/** Everything that a package's entries give away has a TSDoc comment. */
export function documentation({ sources, entries }) {
  const files = new Map(sources.map((file) => [file.path, file]))
  const problems = new Map()
  for (const entry of entries) {
    for (const { file, line, name, documented } of publicExports(files, entry)) {
      if (documented) continue
      problems.set(`${file}:${name}`, { file, line, message: `${name} has no TSDoc` })
    }
  }
  return [...problems.values()]
}

/** The declarations behind an entry's exports, followed through re-exports to where they are written. */
function publicExports(files, path, wanted) {
  const file = files.get(path)
  if (file === undefined) return []
  return file.exports.flatMap((item) => {
    if (item.name !== '*' && wanted !== undefined && item.name !== wanted) return []
    if (item.from === undefined) return [{ ...item, file: path }]
    if (!item.from.startsWith('.')) return []
    return publicExports(files, resolve(path, item.from), item.name === '*' ? wanted : item.local)
  })
}
