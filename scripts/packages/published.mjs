/** What a published package must and must not hold. */
import { checkLinks } from '../docs/references.mjs'

/** The lockfile names no host, so that it installs from any registry. */
export function checkLockfile(text) {
  const host = /\S*:\/\/\S*/.exec(text)
  if (host !== null) throw new Error(`pnpm-lock.yaml names a host: ${host[0]}`)
}

/** The manifest is understood outside the workspace. */
export function checkManifest(manifest) {
  const leak = /"(workspace|catalog|link|file):[^"]*"/.exec(JSON.stringify(manifest))
  if (leak !== null) throw new Error(`${manifest.name} still says ${leak[0]}`)
}

const REQUIRED = ['package/LICENSE', 'package/README.md', 'package/dist/index.js']
const UNWANTED = /\.test\.|\.tsbuildinfo$|\/test\//

/** The tarball holds licence, README and code, and nothing that only we need. */
export function checkFiles(name, files) {
  const missing = REQUIRED.filter((file) => !files.includes(file))
  if (missing.length > 0) throw new Error(`${name} is packed without ${missing.join(', ')}`)
  const unwanted = files.filter((file) => UNWANTED.test(file))
  if (unwanted.length > 0) throw new Error(`${name} should not hold ${unwanted.join(', ')}`)
}

/** Links of pages and of TSDoc lead to a file in the tarball or to an address; `read(path)` gives a file's text. */
export function checkPages(name, files, read) {
  const inTarball = (path) => {
    if (files.includes(path)) return read(path)
    return files.some((file) => file.startsWith(`${path}/`)) ? '' : undefined
  }
  const pages = files.filter((path) => path.endsWith('.md'))
  const types = files.filter((path) => path.endsWith('.d.ts'))
  const problems = [
    ...pages.map((path) => ({ path, text: read(path) })),
    ...types.map((path) => ({ path, text: linksOfComments(read(path)) })),
  ].flatMap(({ path, text }) => checkLinks(path, text, inTarball))
  if (problems.length > 0) {
    const lines = problems.map(({ file, line, message }) => `${file}:${line}  ${message}`)
    throw new Error(`${name} links to what is not in its tarball:\n${lines.join('\n')}`)
  }
}

/** What TSDoc links to, as Markdown on the same lines: `[text](target)`, and `@see target`. */
function linksOfComments(text) {
  return text
    .split('\n')
    .map((line) => {
      if (!/^\s*(\/\*\*|\*)/.test(line)) return ''
      const see = /@see (?![{[])(\S+)/.exec(line)?.[1]
      return see === undefined ? line : `${line} [see](${see})`
    })
    .join('\n')
}
