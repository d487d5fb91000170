import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const pathOf = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

test('the pipeline carries trades from its source through the processing to its sink, and prints what its README says', async () => {
  const main = pathOf('dist/main.js')
  if (!existsSync(main)) throw new Error('The example is not built: run `npm run build`')
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [main])
  const [, promised] = /```text\n(.*?)```/s.exec(readFileSync(pathOf('README.md'), 'utf8')) ?? []
  expect(stderr).toBe('')
  expect(stdout).toBe(promised)
})
