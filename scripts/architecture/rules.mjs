/** Every rule of the architecture by name; each takes one package, and all of them, and returns what breaks the rule. */
import { documentation, publicNames, retiredWords, typeNames } from './exports.mjs'
import { cycles, foreignFiles, layers, literalFrames, packageImports } from './imports.mjs'
import { noAny, noForeignTypes, noLeftovers } from './declarations.mjs'
import { entryPoints } from '../source/workspace.mjs'
import { fileNames, moduleState, openings, smallFiles } from './shape.mjs'

/** What breaks one of these fails the check. */
export const RULES = {
  'no import cycle': cycles,
  'imports between packages': packageImports,
  'no files of other packages': foreignFiles,
  'layers of a package': layers,
  'literal frames in the mock server': literalFrames,
  'names of files': fileNames,
  'first sentence of a module': openings,
  'no state in modules': moduleState,
  'documented exports': documentation,
  'no any in declarations': noAny,
  'no foreign type in declarations': noForeignTypes,
  'nothing stale in dist': noLeftovers,
  'one meaning for a public name': publicNames,
  'one meaning for a type': typeNames,
  'words of the glossary': retiredWords,
}

/** What breaks one of these is printed and does not fail; a line that moves up to `RULES` is enforced. */
export const REPORTS = {
  'small files': smallFiles,
}

/** What breaks the rules, over all packages. */
export function judge(packages, rules = RULES) {
  const subjects = packages.map((item) => ({
    ...item,
    entries: entryPoints(item).map(({ source }) => source),
  }))
  return subjects.flatMap((subject) =>
    Object.entries(rules).flatMap(([rule, check]) =>
      check(subject, subjects).map((problem) => ({ rule, ...problem })),
    ),
  )
}
