import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { run } from '../src/run.ts'

/** The output that the README shows. */
function documented(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  return (/```text\n([^`]+)\n```/.exec(readme)?.[1] ?? '').split('\n')
}

test('consumes trades on demand, in batches, over a link that breaks, as the README shows it', async () => {
  const lines: string[] = []
  await run((line) => lines.push(line))
  expect(lines).toEqual(documented())
})
