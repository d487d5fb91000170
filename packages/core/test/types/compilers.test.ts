/** The types of a bus, as each compiler that is supported sees them. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const require = createRequire(import.meta.url)
const COMPILERS = ['typescript-5.7', 'typescript-5.9', 'typescript-6', 'typescript']
const FLAGS =
  '--noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --target es2022 --lib es2023,esnext.disposable --types node --module nodenext --pretty false'

/** What the compiler prints about one file. */
function compile(compiler: string, file: string, ...more: string[]): string {
  const tsc = join(require.resolve(`${compiler}/package.json`), '../bin/tsc')
  // Since 6 a tsconfig.json beside files that are named is an error.
  const alone = /5\.\d$/.test(compiler) ? [] : ['--ignoreConfig']
  const args = [tsc, ...FLAGS.split(' '), ...alone, ...more, join(here, file)]
  const { stdout, error } = spawnSync(process.execPath, args, { cwd: here, encoding: 'utf8' })
  if (error !== undefined) throw error
  return stdout
}

const generated = ['many.mts', 'many-subscribed.mts']
afterAll(() => {
  for (const file of generated) rmSync(join(here, file), { force: true })
})

describe.each(COMPILERS)('with %s', (compiler) => {
  test('what must fit fits', () => {
    expect(compile(compiler, 'fits.mts')).toBe('')
  })

  test('what must not fit is refused, each with one message', () => {
    const messages = compile(compiler, 'refused.mts')
      .split('\n')
      .filter((line) => line.startsWith('refused.mts') || line.includes('/refused.mts'))
    const lines = readFileSync(join(here, 'refused.mts'), 'utf8').split('\n')
    const expected = lines.flatMap((line, index) => (/\) \/\/ /.test(line) ? [index + 1] : []))
    const lineOf = (text: string): number => Number(/\((\d+),/.exec(text)?.[1])
    // In a list the compiler may name each element.
    expect([...new Set(messages.map(lineOf))]).toEqual(expected)
    const about = (what: string): string => {
      const line = lines.findIndex((text) => text.endsWith(`// ${what}`)) + 1
      return messages.filter((text) => lineOf(text) === line).join('\n')
    }
    expect(about('a forgotten payload')).toContain('Expected 2-3 arguments, but got 1')
    expect(about('a wrong payload')).toContain(`Type 'string' is not assignable to type 'number'`)
  })
})

/** A program with three hundred types that publishes some of them, and perhaps subscribes forty times. */
function program(subscriptions: number): string {
  const type = (n: number): string => `area${n % 20}.thing${n % 60}.did${n}`
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  const patternOf = (n: number): string => {
    if (n === 0) return '>'
    return [`area${n % 20}.>`, `area${n % 20}.*.did${n}`, type(n)][n % 3] ?? ''
  }
  return [
    `import type { Bus } from '@bus/core'`,
    `type Events = {`,
    ...numbers.map((n) => `  '${type(n)}': { id: string; n${n}: number }`),
    `}`,
    `declare const bus: Bus<Events>`,
    ...numbers
      .filter((n) => n % 5 === 0)
      .map((n) => `void bus.publish('${type(n)}', { id: 'x', n${n}: 1 })`),
    ...Array.from(
      { length: subscriptions },
      (_, n) => `void bus.subscribe('${patternOf(n)}', (event) => void event.payload.id)`,
    ),
    '',
  ].join('\n')
}

test.each(COMPILERS)(
  '%s instantiates less than twice as much for forty subscriptions to three hundred types',
  (compiler) => {
    const instantiations = generated.map((file, index) => {
      writeFileSync(join(here, file), program(index * 40))
      const printed = compile(compiler, file, '--extendedDiagnostics')
      expect(printed).not.toContain('error')
      return Number(/Instantiations:\s+(\d+)/.exec(printed)?.[1])
    })
    const [without = NaN, subscribed = NaN] = instantiations
    expect(subscribed).toBeLessThan(2 * without)
  },
)
