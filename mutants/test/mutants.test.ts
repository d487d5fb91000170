/** The catalogues themselves; whether they are caught is what `npm run mutants` and the lane `mutants` show. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '../src/arguments.ts'
import { plant } from '../src/seeded/plant.ts'
import { SEEDED } from '../src/seeded/catalogue.ts'
import { ZOO } from '../src/zoo/catalogue.ts'

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))

test('there are at least fifteen of each kind, and every name is unique', () => {
  expect(ZOO.length).toBeGreaterThanOrEqual(15)
  expect(SEEDED.length).toBeGreaterThanOrEqual(15)
  const names = [...ZOO, ...SEEDED].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
})

describe('a seeded bug', () => {
  test.each(SEEDED)('has its place in the sources, and its tests: $name', (bug) => {
    const changed = plant(bug).transform(readFileSync(path(bug.file), 'utf8'), path(bug.file))
    expect(changed).not.toBe(readFileSync(path(bug.file), 'utf8'))
    expect(Object.keys(bug.caughtBy).map((file) => [file, existsSync(path(file))])).toEqual(
      Object.keys(bug.caughtBy).map((file) => [file, true]),
    )
  })

  test('is planted in its file alone, and only where its place is the only one', () => {
    const plugin = plant({ file: 'src/a.ts', find: 'x', replace: '$&y' })
    expect(plugin.transform('x', '/w/src/a.ts?v=1')).toBe('$&y')
    expect(plugin.transform('x', '/w/src/b.ts')).toBeUndefined()
    expect(() => plugin.transform('xx', '/w/src/a.ts')).toThrow('2 places')
    expect(() => plugin.transform('', '/w/src/a.ts')).toThrow('0 places')
  })
})

test.each([['--only', 'nobody'], ['--seed', 'x'], ['--fast']])(
  'the command line %s %s is refused',
  (...args) => {
    expect(() => parseArguments(args)).toThrow(TypeError)
  },
)

test('the command line may name mutants of both kinds', () => {
  const { zoo, seeded } = parseArguments(['--only', 'reorders', '--only', 'skips-resend'])
  expect([zoo, seeded].map((all) => all.map(({ name }) => name))).toEqual([
    ['reorders'],
    ['skips-resend'],
  ])
})
