/** One source file as plain facts: what it imports and exports, how long it is, and where it keeps state. */
import { parseSync } from 'vite'

/** Calls `visit(node)` for every node of a syntax tree, parents first. */
export function walk(node, visit) {
  visit(node)
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === 'string') walk(child, visit)
    }
  }
}

/** Parses TypeScript or JavaScript; throws with the file's name when the text is neither. */
export function parse(path, text) {
  const { program, comments, errors } = parseSync(path, text)
  const first = errors.find((error) => error.severity === 'Error')
  if (first !== undefined) throw new Error(`${path}: ${first.message}`)
  return { program, comments }
}

/** The facts of one file; `path` is relative to the root of the workspace, with forward slashes. */
export function readFacts(path, text) {
  const { program, comments } = parse(path, text)
  const lineOf = lineCounter(text)
  const facts = { path, text, lines: lineOf(text.length - 1), imports: [], any: [] }
  walk(program, (node) => {
    const request = importOf(node)
    if (request !== undefined) facts.imports.push({ ...request, line: lineOf(node.start) })
    if (node.type === 'TSAnyKeyword') facts.any.push(lineOf(node.start))
  })
  facts.state = program.body
    .flatMap((node) => [node, node.declaration])
    .filter((node) => node?.type === 'VariableDeclaration' && node.kind !== 'const')
    .map((node) => lineOf(node.start))
  facts.exports = exportsOf(program, documentedStarts(text, comments), lineOf)
  return facts
}

function lineCounter(text) {
  const ends = [...text.matchAll(/\n/g)].map((match) => match.index)
  return (offset) => {
    let low = 0
    let high = ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle] < offset) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}

/** Every way to name another module: statements, dynamic imports, and `import('…')` as a type. */
function importOf(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration': {
      if (node.source === null || node.source === undefined) return undefined
      const specifiers = node.specifiers ?? []
      const kinds = [node.importKind ?? node.exportKind, ...specifiers.map(kindOf)]
      const typeOnly =
        kinds[0] === 'type' || (kinds.length > 1 && kinds.slice(1).every((kind) => kind === 'type'))
      const names = specifiers.map((item) => (item.imported ?? item.local)?.name ?? 'default')
      return { specifier: node.source.value, typeOnly, names }
    }
    case 'ImportExpression':
      if (node.source.type !== 'Literal') return undefined
      return { specifier: node.source.value, typeOnly: false, names: [] }
    case 'TSImportType':
      return { specifier: node.source.value, typeOnly: true, names: [] }
    default:
      return undefined
  }
}

const kindOf = (specifier) => specifier.importKind ?? specifier.exportKind

/** Offsets of what stands directly below a TSDoc comment; one with a blank line after it is the module's. */
function documentedStarts(text, comments) {
  const starts = new Set()
  for (const comment of comments) {
    if (comment.type !== 'Block' || !comment.value.startsWith('*')) continue
    const gap = /^[ \t]*\n?[ \t]*/.exec(text.slice(comment.end))
    starts.add(comment.end + gap[0].length)
  }
  return starts
}

/** What a module exports: its own declarations, and what it passes on from others, also by way of an import. */
function exportsOf(program, documented, lineOf) {
  const declarations = new Map()
  const imported = importedNames(program)
  const found = []
  for (const node of program.body) {
    for (const name of declaredNames(node.declaration ?? node)) {
      const known = declarations.get(name)
      declarations.set(name, {
        name,
        line: known?.line ?? lineOf(node.start),
        documented: documented.has(node.start) || known?.documented === true,
      })
    }
  }
  for (const node of program.body) {
    if (node.type === 'ExportAllDeclaration') {
      found.push({ name: '*', from: node.source.value, line: lineOf(node.start) })
    } else if (node.type === 'ExportNamedDeclaration') {
      const line = lineOf(node.start)
      for (const { local, exported } of node.specifiers) {
        const origin =
          node.source === null
            ? imported.get(local.name)
            : { local: local.name, from: node.source.value }
        found.push({ line, ...(origin ?? declarations.get(local.name)), name: exported.name })
      }
      for (const name of declaredNames(node.declaration)) found.push(declarations.get(name))
    }
  }
  return [...new Map(found.map((item) => [`${item.name} ${item.from ?? ''}`, item])).values()]
}

/** What a module has imported: for each local name, the name at its origin and the module. */
function importedNames(program) {
  const imports = program.body.filter(({ type }) => type === 'ImportDeclaration')
  return new Map(
    imports.flatMap(({ specifiers, source }) =>
      specifiers.map(({ local, imported }) => [
        local.name,
        { local: imported?.name ?? 'default', from: source.value },
      ]),
    ),
  )
}

function declaredNames(declaration) {
  if (declaration === null || declaration === undefined) return []
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.map(({ id }) => id.name).filter((name) => name !== undefined)
  }
  return declaration.id?.name === undefined ? [] : [declaration.id.name]
}
