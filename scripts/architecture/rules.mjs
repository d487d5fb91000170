/** Every rule of the house by name; each takes one package and returns what breaks the rule. */
import { arrows, cycles, foreignFiles, literalFrames, rooms } from './boundaries.mjs'
import { noAny, noForeignTypes, noLeftovers } from './declarations.mjs'
import { floors } from './floors.mjs'
import {
  documentation,
  fileNames,
  fileSizes,
  functionSizes,
  moduleState,
  openings,
} from './shape.mjs'

export const RULES = {
  'no import cycle': cycles,
  'the direction of the arrows': arrows,
  'packages meet by name only': foreignFiles,
  'closed doors between rooms': rooms,
  'floors of a folder': floors,
  'literal frames in the mock server': literalFrames,
  'size of files': fileSizes,
  'size of functions': functionSizes,
  'names of files': fileNames,
  'first sentence of a module': openings,
  'no state in modules': moduleState,
  'documented exports': documentation,
  'no any in declarations': noAny,
  'no foreign type in declarations': noForeignTypes,
  'nothing stale in dist': noLeftovers,
}

/** The sources behind a package's `exports`. */
const entriesOf = ({ directory, manifest }) =>
  Object.values(manifest.exports)
    .map((entry) => entry['@bus/source'])
    .filter((path) => path !== undefined)
    .map((path) => path.replace('./', `${directory}/`))

/** What breaks the rules, over all packages. */
export function judge(packages, rules = RULES) {
  return packages.flatMap((item) => {
    const subject = { ...item, entries: entriesOf(item) }
    return Object.entries(rules).flatMap(([rule, check]) =>
      check(subject).map((problem) => ({ rule, ...problem })),
    )
  })
}
