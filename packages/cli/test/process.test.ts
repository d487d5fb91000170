/** The `bus` command as a process of its own, as npm installs it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createHub } from '@bus/websocket/hub'
import { expect, onTestFinished, test } from 'vitest'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly bin: { readonly bus: string }
}
const BIN = fileURLToPath(new URL(`../${manifest.bin.bus}`, import.meta.url))

async function bus(args: readonly string[], input = ''): Promise<{ code: unknown; out: string }> {
  const child = spawn(process.execPath, [BIN, ...args])
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  // One that has read enough closes its input before all is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, out }
}

test('ends with 0 when all is well, and writes lines of JSON on a pipe', async () => {
  const hub = await createHub({ port: 0, allowAnonymous: true })
  onTestFinished(() => hub.close())
  const { code, out } = await bus(['doctor', hub.url])
  expect(code).toBe(0)
  const last = out.trim().split('\n').at(-1) ?? ''
  expect(JSON.parse(last)).toEqual({ result: 'ok', url: `${hub.url}/` })
})

test('ends with 1 when a problem was found, and with 2 when it is used wrongly', async () => {
  expect((await bus(['doctor', 'ws://nowhere.invalid/'])).code).toBe(1)
  expect((await bus(['doctor', '--wrong'])).code).toBe(2)
})

test('explains an error of its input and ends, however much follows', async () => {
  const { code, out } = await bus(
    ['doctor', '--error', '-'],
    `ECONNREFUSED ${'x'.repeat(4_000_000)}`,
  )
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ message: 'Nothing listens at that address.' })
})

test('starts with the line that lets a shell run it', () => {
  expect(readFileSync(BIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
})
