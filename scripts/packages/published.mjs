/** What a published package must and must not hold. */

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
