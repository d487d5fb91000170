import { expect, test, vi } from 'vitest'
import { AbortWatch } from './abort-watch.ts'

test('waits that share a signal share a listener, which goes with the last of them', () => {
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  const watch = new AbortWatch<string>(() => undefined)
  for (const wait of ['a', 'b', 'c']) watch.add(signal, wait)
  expect(add).toHaveBeenCalledTimes(1)
  watch.delete(signal, 'a')
  watch.delete(signal, 'b')
  expect(remove).not.toHaveBeenCalled()
  watch.delete(signal, 'c')
  expect(remove).toHaveBeenCalledTimes(1)
  watch.add(signal, 'd')
  expect(add).toHaveBeenCalledTimes(2)
})

test('an abort ends every wait of its signal once, in order, and of no other', () => {
  const [mine, other] = [new AbortController(), new AbortController()]
  const told: string[] = []
  const watch = new AbortWatch<string>((wait, signal) => {
    told.push(wait)
    watch.delete(signal, wait)
  })
  watch.add(mine.signal, 'a')
  watch.add(other.signal, 'x')
  watch.add(mine.signal, 'b')
  watch.add(mine.signal, 'gone')
  watch.delete(mine.signal, 'gone')
  mine.abort()
  expect(told).toEqual(['a', 'b'])
  other.abort()
  expect(told).toEqual(['a', 'b', 'x'])
})

test('deleting what is not watched does nothing', () => {
  const watch = new AbortWatch<string>(() => undefined)
  expect(() => watch.delete(new AbortController().signal, 'a')).not.toThrow()
})
