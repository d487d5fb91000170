/** What the README says about the mock server. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Faults } from '../src/mock-server/faults.ts'

test('the table of the README names every fault, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const named = [...readme.matchAll(/^\| `([a-zA-Z]+)\(/gm)].map((found) => found[1])
  const methods = Object.getOwnPropertyNames(Faults.prototype).filter((n) => n !== 'constructor')
  expect(new Set(named)).toEqual(new Set(methods))
})
