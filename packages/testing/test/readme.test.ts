/** What the README says about the mock server and the chaos proxy. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startChaosProxy } from '../src/chaos/index.ts'
import { MockFaults } from '../src/mock-server/faults.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const [ofServer = '', ofProxy = ''] = readme.split('## The chaos proxy')

const rows = (text: string): Set<string | undefined> =>
  new Set([...text.matchAll(/^\| `([a-zA-Z]+)\(/gm)].map((found) => found[1]))

test('the first table of the README names every fault of the mock server, and no other', () => {
  const methods = Object.getOwnPropertyNames(MockFaults.prototype).filter(
    (n) => n !== 'constructor',
  )
  expect(rows(ofServer)).toEqual(new Set(methods))
})

test('the second table names every trouble that the chaos proxy makes, and no other', async () => {
  await using proxy = await startChaosProxy({ targetPort: 1 })
  const harmless = ['constructor', 'stats', 'heal', 'up', 'close']
  const members = Object.entries(
    Object.getOwnPropertyDescriptors(Object.getPrototypeOf(proxy) as object),
  )
  const methods = members.flatMap(([name, { value }]) =>
    typeof value === 'function' && !harmless.includes(name) ? [name] : [],
  )
  expect(rows(ofProxy)).toEqual(new Set(methods))
})
