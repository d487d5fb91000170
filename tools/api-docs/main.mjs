// Writes the API reference into docs/api from the sources of the packages; with --check compares what is there instead.
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Application, ReflectionKind } from 'typedoc'
import { load as renderMarkdown } from 'typedoc-plugin-markdown'
import { exportedNames, filesOf } from '../../scripts/architecture/exports.mjs'
import { entryPoints, readPackages, root } from '../../scripts/source/workspace.mjs'
import { differences, indexPage, missingExports, pageOf } from './pages.mjs'

const TARGET = join(root, 'docs/api')
const TYPES = ReflectionKind.Interface | ReflectionKind.TypeAlias

const packages = readPackages()
const files = filesOf(packages)
const entries = packages
  .flatMap(entryPoints)
  .map((entry) => ({ ...entry, exported: exportedNames(files, entry.source) }))

const app = await Application.bootstrapWithPlugins({
  entryPoints: entries.map(({ source }) => join(root, source)),
  tsconfig: join(root, 'tools/api-docs/tsconfig.json'),
  basePath: root,
  plugin: [renderMarkdown],
  logLevel: 'Warn',
  readme: 'none',
  // With places in the sources, every change of a line would change the pages.
  disableSources: true,
  // The build has checked the types.
  skipErrorChecking: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  groupOrder: [
    'Functions',
    'Variables',
    'Classes',
    'Interfaces',
    'Type Aliases',
    'Constructors',
    'Properties',
    'Accessors',
    'Methods',
    '*',
  ],
  router: 'module',
  pageTitleTemplates: {
    module: ({ name }) => entries.find((entry) => pageOf(entry.name) === `${name}.md`).name,
  },
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  useHTMLAnchors: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
})
const project = await app.convert()
if (project === undefined) throw new Error('TypeDoc could not read the sources')
for (const module of project.children) describe(module)
app.validate(project)

const built = fs.mkdtempSync(join(tmpdir(), 'bus-api-'))
try {
  await app.outputs.writeOutput({ name: 'markdown', path: built }, project)
  fs.writeFileSync(join(built, 'README.md'), indexPage(entries))
  const pages = readPages(built)
  const problems = entries.flatMap((entry) => missingExports(entry, pages))
  if (process.argv.includes('--check')) problems.push(...differences(readPages(TARGET), pages))
  else {
    fs.rmSync(TARGET, { recursive: true, force: true })
    fs.cpSync(built, TARGET, { recursive: true })
  }
  for (const problem of problems) console.error(problem)
  const warnings = app.logger.warningCount + app.logger.errorCount
  console.log(`docs/api: ${pages.size} pages, ${warnings} warnings, ${problems.length} problems`)
  process.exitCode = warnings + problems.length > 0 ? 1 : 0
} finally {
  fs.rmSync(built, { recursive: true, force: true })
}

/** Names a module after its page, counts what it exports, and leaves out what classes inherit unchanged. */
function describe(module) {
  const entry = entries.find(({ source }) => source.replace(/(\/index)?\.ts$/, '') === module.name)
  module.name = basename(pageOf(entry.name), '.md')
  const types = module.children.filter((child) =>
    (child.isReference() ? child.getTargetReflectionDeep() : child).kindOf(TYPES),
  )
  entry.types = types.length
  entry.values = module.children.length - types.length
  for (const child of module.children) {
    if (!child.kindOf(ReflectionKind.Class)) continue
    for (const member of child.children?.filter(isInherited) ?? []) project.removeReflection(member)
  }
}

function isInherited(member) {
  return (member.getSignature ?? member).inheritedFrom !== undefined
}

/** The pages in a directory by their names. */
function readPages(directory) {
  if (!fs.existsSync(directory)) return new Map()
  const names = fs.readdirSync(directory).toSorted()
  return new Map(names.map((name) => [name, fs.readFileSync(join(directory, name), 'utf8')]))
}
