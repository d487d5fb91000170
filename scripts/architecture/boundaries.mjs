/** Which way the arrows point: what each package may import, and which rooms do not know each other. */
import { posix } from 'node:path'

const CORE = '@bus/core'

/** Per package: the modules besides Node's own that its sources may import. */
const ARROWS = {
  core: ['@standard-schema/spec', 'denque', 'p-queue', 'uuid'],
  testing: [CORE, 'ws'],
  websocket: [CORE, 'denque', 'ws', 'opossum', 'p-queue'],
}

/** Per package and room (a folder of `src`): the rooms that it must not import, by value or by type. */
const CLOSED_DOORS = {
  core: {
    contract: ['bus', 'codec', 'memory'],
    config: ['bus', 'codec', 'memory', 'queue', 'resilience', 'observe'],
    queue: ['bus', 'codec', 'memory', 'resilience', 'observe'],
    codec: ['bus', 'memory', 'queue', 'resilience'],
    resilience: ['bus', 'memory'],
    observe: ['bus', 'memory', 'queue'],
    memory: ['bus', 'compose'],
    compose: ['bus', 'memory', 'codec'],
    bus: ['memory', 'compose'],
  },
  testing: {},
  websocket: {
    socket: ['client', 'hub'],
    protocol: ['client', 'hub', 'socket'],
    client: ['hub'],
    hub: ['client'],
  },
}

const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const isRelative = (specifier) => specifier.startsWith('.')

/** The file that a relative import names, as a path relative to the workspace's root. */
export const resolve = (from, specifier) => posix.join(posix.dirname(from), specifier)

/** Sources import only what their package's arrow allows. */
export function arrows({ name, sources }, allowed = ARROWS[name]) {
  if (allowed === undefined) {
    return [{ file: `packages/${name}`, message: `has no row in ARROWS of boundaries.mjs` }]
  }
  return eachImport(sources, (file, { specifier }) => {
    if (isRelative(specifier) || specifier.startsWith('node:')) return undefined
    const target = packageOf(specifier)
    return allowed.includes(target) ? undefined : `${name} must not import ${target}`
  })
}

/** Nobody, tests included, reaches into another package's files. */
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

/** Rooms whose door is closed do not import each other. */
export function rooms({ name, directory, sources }, doors = CLOSED_DOORS[name] ?? {}) {
  const roomOf = (path) => /^src\/([^/]+)\//.exec(path.slice(directory.length + 1))?.[1]
  return eachImport(sources, (file, { specifier }) => {
    if (!isRelative(specifier)) return undefined
    const from = roomOf(file.path)
    const to = roomOf(resolve(file.path, specifier))
    return doors[from]?.includes(to) ? `room ${from} must not import room ${to}` : undefined
  })
}

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
