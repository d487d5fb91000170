import { expect, test } from 'vitest'
import { FillLevel } from './bounded-queue.ts'

function levels(threshold: number, ratios: readonly number[]): (string | number)[] {
  const told: (string | number)[] = []
  const level = new FillLevel(threshold, { onLevel: (name, ratio) => void told.push(name, ratio) })
  for (const ratio of ratios) level.update(ratio)
  return told
}

test('the threshold itself counts as high', () => {
  expect(levels(0.8, [0.79, 0.8])).toEqual(['high', 0.8])
})

test('the warning comes once per upward crossing, and again only after the fill fell well below', () => {
  const told = levels(0.8, [0.9, 1, 0.79, 0.85, 0.61, 0.9, 0.59, 0.7, 0.8])
  expect(told).toEqual(['high', 0.9, 'normal', 0.59, 'high', 0.8])
})

test('without a listener nothing happens', () => {
  const level = new FillLevel(0.5, {})
  expect(() => level.update(1)).not.toThrow()
})
