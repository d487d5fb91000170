/** Rules on what packages export: each public declaration is documented, and each name has one meaning. */
import { resolve } from './imports.mjs'

/** Everything that a package's entries export has a TSDoc comment. */
export function documentation({ sources, entries }) {
  const files = filesOf([{ sources }])
  const problems = new Map()
  for (const entry of entries) {
    for (const { file, line, name, documented } of publicExports(files, entry)) {
      if (documented) continue
      problems.set(`${file}:${name}`, { file, line, message: `${name} has no TSDoc` })
    }
  }
  return [...problems.values()]
}

/** No entry of a package exports a name that stands for another declaration in some entry of ours. */
export function publicNames({ directory }, packages) {
  const files = filesOf(packages)
  const entries = packages.flatMap((item) => item.entries)
  const exported = entries.flatMap((entry) => publicExports(files, entry))
  return secondMeanings(exported, directory)
}

/** No type has the name of another one, in whichever module either is exported. */
export function typeNames({ directory }, packages) {
  const exported = packages.flatMap(({ sources }) =>
    sources.flatMap(({ path, exports }) =>
      exports
        .filter(({ name, from }) => from === undefined && /^[A-Z].*[a-z]/.test(name))
        .map((item) => ({ ...item, file: path, publicName: item.name })),
    ),
  )
  return secondMeanings(exported, directory)
}

/** Words of a private vocabulary that names no longer use; docs/glossary.md has the terms instead. */
const RETIRED =
  /^(told|asked|wanted|lacks|books?|nobody|somebody|whoever|rests|parks|parking|tidy|bury|buries|doors?|gates?|reception|places?|beat|beating|turn|passage|holds|rooms?|floors?)$/

/** No name exported by a source contains one of these words. */
export function retiredWords({ sources }) {
  return sources.flatMap(({ path, exports }) =>
    exports
      .filter(({ name, from }) => from === undefined && name !== name.toUpperCase())
      .flatMap(({ name, line }) => {
        const words = name.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
        const word = words.find((item) => RETIRED.test(item))
        return word === undefined ? [] : [{ file: path, line, message: `${name} says ${word}` }]
      }),
  )
}

/** The names that a file exports, its own and those of others; `files` has each file of ours by its path. */
export function exportedNames(files, path) {
  return files.get(path).exports.flatMap(({ name, from }) => {
    if (name !== '*') return [name]
    return from.startsWith('.') ? exportedNames(files, resolve(path, from)) : []
  })
}

/** The declarations in `directory` whose name stands for an earlier declaration, too. */
function secondMeanings(exported, directory) {
  const names = new Map()
  for (const { publicName, file, line } of exported) {
    const places = names.get(publicName) ?? new Map()
    names.set(publicName, places.set(`${file}:${line}`, { file, line }))
  }
  return [...names].flatMap(([name, places]) => {
    const [first] = places.keys()
    return [...places.values()]
      .slice(1)
      .filter(({ file }) => file.startsWith(`${directory}/`))
      .map((place) => ({ ...place, message: `${name} is also exported at ${first}` }))
  })
}

/** The sources of packages by their paths. */
export const filesOf = (packages) =>
  new Map(packages.flatMap(({ sources }) => sources.map((file) => [file.path, file])))

/**
 * The declarations behind a file's exports, followed through re-exports to where they are written. What comes from another
 * package is left out: it is an export of that package.
 */
function publicExports(files, path, wanted) {
  const file = files.get(path)
  if (file === undefined) return []
  return file.exports.flatMap((item) => {
    if (item.name !== '*' && wanted !== undefined && item.name !== wanted) return []
    if (item.from === undefined) return [{ ...item, file: path, publicName: item.name }]
    if (!item.from.startsWith('.')) return []
    const target = resolve(path, item.from)
    if (item.name === '*') return publicExports(files, target, wanted)
    return publicExports(files, target, item.local).map((found) => ({
      ...found,
      publicName: item.name,
    }))
  })
}
