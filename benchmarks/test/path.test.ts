import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const PATH = fileURLToPath(new URL('../dist/path.js', import.meta.url))

async function follow(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [PATH, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill())
  let output = ''
  const read = (chunk: Buffer): void => void (output += chunk.toString())
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

test(
  'the walk begins with publish, ends with the acknowledgement in the hub, and fails above its bar',
  { timeout: 300_000 },
  async () => {
    const { code, output } = await follow(['--max-files=1000', '--max-functions=1'])
    const [publishing, ...others] = output.split('\n\n')
    expect(publishing).toMatch(/^publisher\n  publish +core\/src\/.+\.ts:\d+\n/)
    const roles = others.map((stretch) => stretch.split('\n')[0])
    expect(roles.slice(0, -1)).toEqual(expect.arrayContaining(['hub', 'subscriber', 'publisher']))
    const acknowledging = others.at(-2)
    expect(acknowledging).toMatch(/^hub\n/)
    expect(acknowledging).toMatch(/\n  ack +websocket\/src\/hub\/.+\.ts:\d+\n/)
    expect(others.at(-1)).toMatch(/\ntogether +\d+ files +\d+ functions\n/)
    expect(code).toBe(1)
  },
)

test('a bar that is not a number ends with 2 and says so', async () => {
  const { code, output } = await follow(['--max-files=many'])
  expect(code).toBe(2)
  expect(output).toBe('Expected --max-files to be an integer ≥ 0, got many\n')
})
