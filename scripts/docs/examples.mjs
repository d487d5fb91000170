/** The examples in documents and TSDoc, compiled against the built packages as a user's compiler would. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from '../source/source-file.mjs'
import { fences } from './markdown.mjs'

const isExample = ({ info }) => info[0] === 'ts'
const isSkipped = ({ info }) => info.includes('ignore')

/** The `ts` blocks of a Markdown text. */
export function documentExamples(file, text) {
  return fences(text)
    .filter(isExample)
    .map((block) => ({ file, line: block.line, text: block.text, skip: isSkipped(block) }))
}

/** The `ts` blocks inside the TSDoc comments of a source. */
export function sourceExamples(file, text) {
  return parse(file, text)
    .comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
    .flatMap(({ value, start }) => {
      const first = text.slice(0, start).split('\n').length - 1
      const plain = value.replaceAll(/^[ \t]*\* ?/gm, '')
      return documentExamples(file, plain).map((block) => ({ ...block, line: block.line + first }))
    })
}

const COMPILER_OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
}

/** Compiles each example as a module of its own and returns what the compiler says, at the example's place. */
export function compileExamples(root, examples) {
  const directory = join(root, 'node_modules/.cache/examples')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  linkPackages(root, join(directory, 'node_modules'))
  for (const [index, { text }] of examples.entries()) {
    writeFileSync(join(directory, `${index}.ts`), `${text}\n`)
  }
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  const files = examples.map((_example, index) => `${index}.ts`)
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }),
  )
  return examples.length === 0 ? [] : problemsOf(compile(root, directory), examples)
}

function compile(root, directory) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  try {
    return execFileSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
      cwd: directory,
      encoding: 'utf8',
    })
  } catch (error) {
    if (typeof error.stdout === 'string') return error.stdout
    throw error
  }
}

/** Reads `3.ts(2,7): error TS…: message` lines; anything else the compiler says is a problem without a place. */
export function problemsOf(output, examples) {
  return output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(' '))
    .map((line) => {
      const [, index, row, message] = /^(\d+)\.ts\((\d+),\d+\): (.*)$/.exec(line) ?? []
      const example = examples[index]
      if (example === undefined) return { file: 'tsc', message: line }
      return { file: example.file, line: example.line + Number(row) - 1, message }
    })
}

/** Gives the examples the packages of the workspace, and whatever those have installed, by name. */
function linkPackages(root, target) {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))
  for (const from of packages) link(from, join(target, '@bus', from.split(/[/\\]/).at(-1)))
  for (const from of packages.flatMap(installed)) link(from.path, join(target, from.name))
}

function installed(directory) {
  const modules = join(directory, 'node_modules')
  if (!existsSync(modules)) return []
  return readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`)
        : [name],
    )
    .map((name) => ({ name, path: join(modules, name) }))
}

function link(from, to) {
  if (existsSync(to)) return
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(from, to, 'junction')
}
