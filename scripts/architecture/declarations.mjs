/** What users' compilers see: the built type declarations of a package. */
import { resolve } from './imports.mjs'

/** A signature may name types of what is installed with a package and has types of its own. */
const comesAlong = (specifier) =>
  specifier.startsWith('node:') ||
  specifier.startsWith('@bus/') ||
  specifier === '@standard-schema/spec'

/** No declaration says `any`. */
export function noAny({ declarations }) {
  return declarations.flatMap(({ path, any }) =>
    any.map((line) => ({ file: path, line, message: 'says `any`' })),
  )
}

/** No type that a user can reach belongs to a library whose types users do not have. */
export function noForeignTypes({ declarations, entries }) {
  const files = new Map(declarations.map((file) => [file.path, file]))
  const queue = entries.map(builtFrom)
  const seen = new Set(queue)
  const problems = []
  for (const path of queue) {
    const file = files.get(path)
    if (file === undefined) {
      problems.push({ file: path, message: 'is missing: build first' })
      continue
    }
    for (const { specifier, line } of file.imports) {
      if (specifier.startsWith('.')) {
        const next = resolve(path, specifier).replace(/(\.d)?\.(ts|js)$/, '.d.ts')
        if (!seen.has(next)) queue.push(next)
        seen.add(next)
      } else if (!comesAlong(specifier)) {
        problems.push({ file: path, line, message: `names types of ${specifier}` })
      }
    }
  }
  return problems
}

/** Nothing is left in `dist` of sources that are gone: it would be published. */
export function noLeftovers({ directory, sources, declarations }) {
  const expected = new Set(sources.map(({ path }) => builtFrom(path)))
  const [first, ...others] = declarations
    .map(({ path }) => path)
    .filter((path) => !expected.has(path))
  if (first === undefined) return []
  const more = others.length > 0 ? `, and ${others.length} others have none` : ''
  const message = `${first} has no source${more}: run \`npm run clean\` and build`
  return [{ file: `${directory}/dist`, message }]
}

const builtFrom = (source) => source.replace('/src/', '/dist/').replace(/\.ts$/, '.d.ts')
