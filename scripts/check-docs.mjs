// Compares the documents with the sources: examples compile, links lead somewhere, tables say what is true.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkConformance } from './docs/conformance.mjs'
import { checkErrors, errorClasses, errorCodes } from './docs/errors.mjs'
import { compileExamples, documentExamples, sourceExamples } from './docs/examples.mjs'
import { checkFailures, failuresPage } from './docs/failures.mjs'
import { checkFeatures, featuresPage } from './docs/features.mjs'
import { checkFigures } from './docs/figures.mjs'
import { checkGlossary } from './docs/glossary.mjs'
import { checkEntries, checkLinks, checkPage } from './docs/references.mjs'
import { list, readPackages, root } from './source/workspace.mjs'

const read = (path) => {
  const file = join(root, path)
  if (!existsSync(file)) return undefined
  return statSync(file).isDirectory() ? '' : readFileSync(file, 'utf8')
}

const packages = readPackages()
const sources = packages.flatMap((item) => item.sources)
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'PROTOCOL.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  // The pages below docs/api repeat what the sources say.
  ...list('docs', (path) => path.endsWith('.md') && !path.startsWith('docs/api/')),
  ...packages.map(({ directory }) => `${directory}/README.md`),
].flatMap((path) => {
  const text = read(path)
  return text === undefined ? [] : [{ path, text }]
})

const examples = [
  ...documents.flatMap(({ path, text }) => documentExamples(path, text)),
  ...sources.flatMap(({ path, text }) => sourceExamples(path, text)),
]
const compiled = examples.filter(({ skip }) => !skip)

const { CLOSE_CODES } = await import('../packages/websocket/dist/protocol/close-codes.js')
const conformance = await import('../packages/testing/dist/conformance/index.js')
const ERRORS = 'docs/errors.md'
const features = JSON.parse(read('docs/features.json'))
const failures = JSON.parse(read('docs/failures.json'))
const figures = JSON.parse(read('docs/reliability.json'))

const problems = [
  ...compileExamples(root, compiled),
  ...documents.flatMap(({ path, text }) => checkLinks(path, text, read)),
  ...packages.flatMap((item) => checkEntries(item, read(`${item.directory}/README.md`))),
  ...checkErrors(ERRORS, read(ERRORS) ?? '', {
    classes: errorClasses(sources),
    codes: errorCodes(sources),
    closeCodes: CLOSE_CODES,
  }),
  ...checkConformance(read, 'docs/conformance.json', conformance),
  ...checkFeatures('docs/features.json', features, read),
  ...checkFailures(
    'docs/failures.json',
    failures,
    packages.flatMap(({ tests }) => tests),
  ),
  ...checkPage('docs/features.md', read('docs/features.md'), featuresPage(features)),
  ...checkPage('docs/reliability.md', read('docs/reliability.md'), failuresPage(failures)),
  ...checkGlossary(
    'docs/glossary.md',
    read('docs/glossary.md'),
    new Set(sources.flatMap((source) => source.exports.map(({ name }) => name))),
  ),
  ...checkFigures('docs/guarantees.md', read('docs/guarantees.md') ?? '', figures),
]

for (const { file, line, message } of problems) {
  console.error(`${line === undefined ? file : `${file}:${line}`}  ${message}`)
}
const skipped = examples.length - compiled.length
console.log(
  `${documents.length} documents, ${compiled.length} examples compiled, ${skipped} marked ignore, ` +
    `${problems.length} problems`,
)
process.exitCode = problems.length > 0 ? 1 : 0
