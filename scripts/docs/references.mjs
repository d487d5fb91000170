/** What documents point at: files, headings, the entry points of the packages, and the data that a page is written from. */
import { posix } from 'node:path'
import { anchors, links } from './markdown.mjs'

/** Links whose file or heading is not there; `read(path)` gives a file's text, `''` for a folder, or `undefined`. */
export function checkLinks(file, text, read) {
  return links(text).flatMap(({ target, anchor, line }) => {
    const path = target === '' ? file : posix.join(posix.dirname(file), target)
    const content = target === '' ? text : read(path)
    if (content === undefined) return [{ file, line, message: `${target} does not exist` }]
    if (anchor === undefined || !path.endsWith('.md') || anchors(content).includes(anchor))
      return []
    return [{ file, line, message: `${path} has no heading for #${anchor}` }]
  })
}

/** Entry points that a package offers and its README does not name. */
export function checkEntries({ directory, manifest }, readme) {
  const file = `${directory}/README.md`
  if (readme === undefined) return [{ file, message: 'does not exist' }]
  return Object.keys(manifest.exports)
    .filter((entry) => entry !== './package.json')
    .map((entry) => posix.join(manifest.name, entry))
    .filter((name) => !readme.includes(`\`${name}\``) && !readme.includes(`'${name}'`))
    .map((name) => ({ file, message: `does not name the entry point ${name}` }))
}

/** Whether a written page is what its data gives. */
export function checkPage(file, text, expected) {
  return text === expected ? [] : [{ file, message: 'is not what its data gives: npm run docs' }]
}
