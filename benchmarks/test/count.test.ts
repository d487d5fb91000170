import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Count } from '../src/run/count.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('each wait ends with its own goal', async () => {
  const count = new Count('arrived')
  const reached: number[] = []
  const waits = [3, 1, 2].map(async (goal) => {
    await count.until(goal)
    reached.push(goal)
  })
  count.add(1)
  await waits[1]
  expect(reached).toEqual([1])
  count.add(2)
  await Promise.all(waits)
  expect(new Set(reached)).toEqual(new Set([1, 2, 3]))
  expect(vi.getTimerCount()).toBe(0)
})

test('gives up when nothing more comes, and says how far it got', async () => {
  const count = new Count('arrived')
  const wait = count.until(10).catch((error: Error) => error.message)
  count.add(4)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await wait).toContain('Of 10 only 4 arrived')
  expect(vi.getTimerCount()).toBe(0)
})

test('a failure ends every wait, now and later', async () => {
  const count = new Count('were confirmed')
  const wait = count.until(1).catch((error: Error) => error.message)
  count.fail(new Error('refused'))
  expect(await wait).toBe('refused')
  await expect(count.until(1)).rejects.toThrow('refused')
})
