import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { telemetry } from '../src/index.ts'

test('the document names every channel and what it carries, and no other', () => {
  const text = readFileSync(new URL('../../../docs/observability.md', import.meta.url), 'utf8')
  const rows = text.matchAll(/^\| `(bus\.[a-z.-]+)` +\|[^|]+\|([^|]+)\|$/gm)
  const documented = Array.from(rows, ([, name, keys]) => [
    name,
    Array.from(keys?.matchAll(/`(\w+)`/g) ?? [], ([, key]) => key),
  ])
  expect(Object.fromEntries(documented)).toEqual(telemetry.payloads)
})
