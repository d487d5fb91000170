/** How a file looks: its name, its first sentence, its state, and whether it should be a file of its own. */
import { posix } from 'node:path'
import { resolve } from './imports.mjs'

/** Shorter files with a single importer are reported: most of them belong to it. */
const SMALL_FILE_LINES = 60

const VAGUE = /^(utils?|helpers?|common|manager|misc)([.-]|$)/

const isIndex = (path) => posix.basename(path) === 'index.ts'

/** A file is named after its one concept. */
export function fileNames({ sources }) {
  return sources
    .filter(({ path }) => path.split('/').some((part) => VAGUE.test(part)))
    .map(({ path }) => ({ file: path, message: 'the name says nothing about the concept' }))
}

/** Each module opens with one sentence that says what it is; an index only re-exports. */
export function openings({ sources }) {
  return sources
    .filter(({ path, text }) => !isIndex(path) && !/^(#!.+\n)?\/\*\*/.test(text))
    .map(({ path }) => ({ file: path, line: 1, message: 'does not open with a sentence in TSDoc' }))
}

/** Modules hold no state that changes. */
export function moduleState({ sources }) {
  return sources.flatMap(({ path, state }) =>
    state.map((line) => ({ file: path, line, message: 'mutable state at module level' })),
  )
}

/** Small files that a single other file imports, unless that is an index, which only re-exports. */
export function smallFiles({ sources }) {
  const importers = new Map()
  for (const { path, imports } of sources) {
    for (const { specifier } of imports) {
      if (!specifier.startsWith('.')) continue
      const target = resolve(path, specifier)
      importers.set(target, (importers.get(target) ?? new Set()).add(path))
    }
  }
  return sources.flatMap(({ path, lines }) => {
    const [importer, ...others] = importers.get(path) ?? []
    if (lines >= SMALL_FILE_LINES || importer === undefined || others.length > 0) return []
    if (isIndex(importer)) return []
    return [{ file: path, message: `${lines} lines, imported by ${importer} alone` }]
  })
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** Median, 90th percentile and largest of the packages' files, and lines of tests per line of code. */
export function figures(packages) {
  const files = packages
    .flatMap(({ sources }) => sources.map(({ lines }) => lines))
    .toSorted((a, b) => a - b)
  const code = files.reduce((sum, lines) => sum + lines, 0)
  const tests = packages.flatMap((item) => item.tests).reduce((sum, { lines }) => sum + lines, 0)
  return {
    files: files.length,
    median: at(files, 0.5) ?? 0,
    p90: at(files, 0.9) ?? 0,
    largest: files.at(-1) ?? 0,
    code,
    testsPerCode: code === 0 ? 0 : Math.round((tests / code) * 10) / 10,
  }
}
