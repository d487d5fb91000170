import { readFileSync } from 'node:fs'
import { AuthError } from '@bus/core'
import { expect, test } from 'vitest'
import { deribit } from '../src/deribit.ts'
import { MockDeribit } from '../src/mock-deribit.ts'
import { run } from '../src/run.ts'

/** The output that the README shows. */
function documented(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  return (/```text\n([^`]+)\n```/.exec(readme)?.[1] ?? '').split('\n')
}

test('prices, orders, heartbeats and a broken link, as the README shows them', async () => {
  const lines: string[] = []
  await run((line) => lines.push(line))
  expect(lines).toEqual(documented())
})

test('credentials that Deribit does not know are refused, and not tried again', async () => {
  await using mock = await MockDeribit.start()
  const { transport } = deribit({ clientId: 'me', clientSecret: 'guess' }).open({ url: mock.url })
  await expect(transport.connect()).rejects.toThrow(AuthError)
  expect(mock.methods).toEqual(['public/set_heartbeat', 'public/auth'])
  expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'auth' } })
})
