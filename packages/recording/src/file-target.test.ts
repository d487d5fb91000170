import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FileTarget } from './file-target.ts'

async function setUp(content?: string) {
  const directory = await mkdtemp(join(tmpdir(), 'target-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'file')
  if (content !== undefined) await writeFile(path, content)
  const target = new FileTarget(path)
  onTestFinished(() => target.close())
  return { target, path, text: () => readFile(path, 'utf8') }
}

describe('a file', () => {
  test('is appended to, write after write', async () => {
    const { target, text } = await setUp('a\n')
    await target.write('b\n')
    await target.write('c\n')
    expect(await text()).toBe('a\nb\nc\n')
  })

  test('whose last line was cut off gets the end of it first', async () => {
    const { target, text } = await setUp('a')
    await target.write('b\n')
    expect(await text()).toBe('a\nb\n')
  })

  test('is closed as often as one likes, also when it was never opened', async () => {
    const { target, text } = await setUp()
    await target.close()
    await target.write('a\n')
    await Promise.all([target.close(), target.close()])
    expect(await text()).toBe('a\n')
  })

  test('that cannot be opened fails the write, and can be closed', async () => {
    const target = new FileTarget(tmpdir())
    await expect(target.write('a')).rejects.toMatchObject({ code: 'EISDIR' })
    await target.close()
  })
})

describe('the last words go into the file at once', () => {
  test('when nothing was written yet', async () => {
    const { target, text } = await setUp()
    target.writeLast('a\n', '')
    expect(await text()).toBe('a\n')
  })

  test('with those that the system was not given yet', async () => {
    const { target, text } = await setUp()
    const writing = target.write('a\n')
    target.writeLast('b\n', 'a\n')
    expect(await text()).toMatch(/^a\nb\n/)
    await writing
  })

  test('after those that the system was given', async () => {
    const { target, text } = await setUp()
    await target.write('first\n')
    const long = `${'x'.repeat(4_000_000)}\n`
    const writing = target.write(long)
    await Promise.resolve()
    target.writeLast('last\n', long)
    expect(await text()).toBe(`first\n${long}last\n`)
    await writing
    target.writeLast('', '')
    expect(await text()).toBe(`first\n${long}last\n`)
  })
})
