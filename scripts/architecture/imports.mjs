/** Rules on imports: between packages, between the folders of a package, and between single files. */
import { posix } from 'node:path'
import { ARCHITECTURE } from './architecture.mjs'

const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isRelative = (specifier) => specifier.startsWith('.')

/** The file that a relative import names, as a path relative to the workspace's root. */
export const resolve = (from, specifier) => posix.join(posix.dirname(from), specifier)

/** Sources import only the packages that the architecture allows. */
export function packageImports(
  { name, directory, sources },
  _packages,
  architecture = ARCHITECTURE,
) {
  const allowed = architecture[name]?.imports
  if (allowed === undefined) {
    return [{ file: directory, message: 'has no entry in scripts/architecture/architecture.mjs' }]
  }
  return eachImport(sources, (file, { specifier }) => {
    if (isRelative(specifier) || specifier.startsWith('node:')) return undefined
    const target = packageOf(specifier)
    return allowed.includes(target) ? undefined : `${name} must not import ${target}`
  })
}

/** No file, tests included, reaches into another package's files. */
export function foreignFiles({ directory, sources, tests }) {
  return eachImport([...sources, ...tests], (file, { specifier }) => {
    if (isRelative(specifier)) {
      const target = resolve(file.path, specifier)
      return target.startsWith(`${directory}/`)
        ? undefined
        : `reaches out of its package: ${target}`
    }
    return /^@bus\/[^/]+\/(src|dist)(\/|$)/.test(specifier)
      ? `reaches into another package: ${specifier}`
      : undefined
  })
}

/** Imports between the folders of a package go down, by value and by type, and each folder has its layer. */
export function layers({ name, directory, sources }, _packages, architecture = ARCHITECTURE) {
  const { layers: table = {}, exceptions = [] } = architecture[name] ?? {}
  return Object.entries(table).flatMap(([parent, rows]) => {
    const base = posix.join(directory, 'src', parent)
    const folderOf = (path) => childFolder(base, path)
    const layerOf = (folder) => rows.findIndex((row) => row.includes(folder))
    const pathOf = (folder) => posix.join(parent, folder)
    return sources.flatMap((file) => {
      const from = folderOf(file.path)
      if (from === undefined) return []
      if (layerOf(from) === -1) {
        const message = `the folder ${pathOf(from)} has no layer in scripts/architecture/architecture.mjs`
        return [{ file: file.path, message }]
      }
      return eachImport([file], (_file, { specifier }) => {
        const to = isRelative(specifier) ? folderOf(resolve(file.path, specifier)) : undefined
        if (to === undefined || to === from || layerOf(to) > layerOf(from)) return undefined
        if (exceptions.includes(`${pathOf(from)} -> ${pathOf(to)}`)) return undefined
        const relation = layerOf(to) === layerOf(from) ? 'beside' : 'above'
        return `${pathOf(from)} must not import ${pathOf(to)}, which is ${relation} it`
      })
    })
  })
}

/** The folder directly in `base` in which a path lies. */
const childFolder = (base, path) =>
  path.startsWith(`${base}/`) ? /^([^/]+)\//.exec(path.slice(base.length + 1))?.[1] : undefined

/** The mock server speaks literal frames: a mistake in a codec must not hide on both sides. */
export function literalFrames({ name, sources }) {
  if (name !== 'testing') return []
  const mock = sources.filter(({ path }) => path.includes('/mock-server/'))
  return eachImport(mock, (file, { names }) => {
    const codec = names.find((item) => /codec/i.test(item))
    return codec === undefined ? undefined : `the mock server must not use a codec: ${codec}`
  })
}

/** No file depends on itself through others, neither by value nor by type. */
export function cycles({ sources }) {
  const paths = new Set(sources.map(({ path }) => path))
  const edges = new Map(
    sources.map((file) => [
      file.path,
      file.imports
        .filter(({ specifier }) => isRelative(specifier))
        .map(({ specifier, typeOnly }) => ({ to: resolve(file.path, specifier), typeOnly }))
        .filter(({ to }) => paths.has(to)),
    ]),
  )
  const seen = new Set()
  const found = []
  for (const start of edges.keys()) {
    const path = wayBack(edges, start)
    if (path === undefined || path.some((step) => seen.has(step))) continue
    for (const step of path) seen.add(step)
    found.push({ file: start, message: `import cycle: ${[...path, start].join(' → ')}` })
  }
  return found
}

/** The shortest way from `start` over imports back to `start`. */
function wayBack(edges, start) {
  const from = new Map()
  const queue = [start]
  for (const step of queue) {
    for (const { to } of edges.get(step)) {
      if (to === start) {
        const path = []
        for (let at = step; at !== undefined; at = from.get(at)) path.unshift(at)
        return path
      }
      if (from.has(to)) continue
      from.set(to, step)
      queue.push(to)
    }
  }
  return undefined
}

function eachImport(files, judge) {
  return files.flatMap((file) =>
    file.imports.flatMap((request) => {
      const message = judge(file, request)
      return message === undefined ? [] : [{ file: file.path, line: request.line, message }]
    }),
  )
}
