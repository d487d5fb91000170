import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PriceServer } from '../src/price-server.ts'
import { pricesClient } from '../src/prices.ts'
import { run } from '../src/run.ts'

/** The output that the README shows. */
function documented(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  return (/```text\n([^`]+)\n```/.exec(readme)?.[1] ?? '').split('\n')
}

test('prices, renewed credentials and a restart of the server, as the README shows them', async () => {
  const lines: string[] = []
  await run((line) => lines.push(line))
  expect(lines).toEqual(documented())
})

test('a secret that the server does not know is refused, and not shown', async () => {
  await using server = await PriceServer.start()
  const lines: string[] = []
  const { transport } = pricesClient((line) => lines.push(line), 'a guess').open({
    url: server.url,
  })
  await expect(transport.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
  expect(server.log).toEqual(['auth', 'auth'])
  expect(lines.join('\n')).toContain('bad signature')
  expect(lines.join('\n')).not.toContain('a guess')
})
