import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import type { Frame } from '../../protocol/protocol.ts'
import { Answers } from './answers.ts'

function create() {
  const unclaimed: Frame[] = []
  const sizes: number[] = []
  const answers: Answers = new Answers({
    unclaimed: (frame) => unclaimed.push(frame),
    changed: () => sizes.push(answers.size),
  })
  const { signal } = new AbortController()
  const is =
    (text: string) =>
    (frame: Frame): string | undefined =>
      frame === text ? text : undefined
  return { answers, unclaimed, sizes, signal, is }
}

test('gives a frame to the first who waits for it, and to no other', async () => {
  const { answers, unclaimed, signal, is } = create()
  answers.settle()
  const first = answers.wait(is('a'), signal)
  const second = answers.wait(is('a'), signal)
  const third = answers.wait(is('b'), signal)
  for (const frame of ['x', 'b', 'a', 'a', 'a']) answers.frame(frame)
  await expect(Promise.all([first, second, third])).resolves.toEqual(['a', 'a', 'b'])
  expect(unclaimed).toEqual(['x', 'a'])
})

test('keeps unclaimed frames for waits to come, until the link is settled; the rest then follows in order', async () => {
  const { answers, unclaimed, signal, is } = create()
  for (const frame of ['x', 'welcome', 'y']) answers.frame(frame)
  await expect(answers.wait(is('welcome'), signal)).resolves.toBe('welcome')
  expect(unclaimed).toEqual([])
  answers.settle()
  expect(unclaimed).toEqual(['x', 'y'])
  answers.frame('z')
  expect(unclaimed).toEqual(['x', 'y', 'z'])
})

test('keeps a bounded number of frames and of bytes; the oldest are let go first', () => {
  const { answers, unclaimed } = create()
  for (let n = 0; n < 300; n++) answers.frame(`${n}`)
  expect(unclaimed).toEqual(Array.from({ length: 44 }, (_, n) => `${n}`))
  answers.frame(new Uint8Array(1_048_576))
  expect(unclaimed).toHaveLength(300)
  answers.frame('one more')
  expect(unclaimed).toHaveLength(301)
})

test('a test that throws fails its own wait and uses the frame up', async () => {
  const { answers, unclaimed, signal, is } = create()
  answers.settle()
  const bad = answers.wait(() => {
    throw new Error('no')
  }, signal)
  const good = answers.wait(is('b'), signal)
  answers.frame('a')
  answers.frame('b')
  await expect(bad).rejects.toThrow('no')
  await expect(good).resolves.toBe('b')
  expect(unclaimed).toEqual([])
})

test('a signal ends a wait with its reason, also one that is aborted already', async () => {
  const { answers, unclaimed, is } = create()
  answers.settle()
  const abort = new AbortController()
  const wait = answers.wait(is('a'), abort.signal)
  abort.abort(new Error('lost'))
  await expect(wait).rejects.toThrow('lost')
  await expect(answers.wait(is('a'), abort.signal)).rejects.toThrow('lost')
  expect(answers.size).toBe(0)
  answers.frame('a')
  expect(unclaimed).toEqual(['a'])
})

test('reports when the first wait begins and when the last has ended', async () => {
  const { answers, sizes, signal, is } = create()
  const waits = [answers.wait(is('a'), signal), answers.wait(is('b'), signal)]
  answers.frame('a')
  answers.frame('b')
  await Promise.all(waits)
  expect(sizes).toEqual([1, 0])
})

test('waits with several signals end with the first that aborts, and leave no listener at the others', async () => {
  const { answers, is } = create()
  answers.settle()
  const [long, short] = [new AbortController(), new AbortController()]
  const waits = Array.from({ length: 20 }, () => answers.wait(is('a'), long.signal, short.signal))
  expect(getEventListeners(long.signal, 'abort')).toHaveLength(1)
  short.abort(new Error('short'))
  const ends = await Promise.allSettled(waits)
  expect(ends.map((end) => end.status === 'rejected' && String(end.reason))).toEqual(
    Array.from({ length: 20 }, () => 'Error: short'),
  )
  expect(getEventListeners(long.signal, 'abort')).toHaveLength(0)
  const late = answers.wait(is('a'), long.signal, short.signal)
  await expect(late).rejects.toThrow('short')
})
