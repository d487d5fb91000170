import { describe, expect, test } from 'vitest'
import { needsRenewal, type AuthState } from './auth.ts'

const NOW = 1_000_000
const good = (leftMs: number): AuthState => ({ status: 'authenticated', expiresAt: NOW + leftMs })

describe('credentials must be shown again', () => {
  test('when they were refused', () => {
    expect(needsRenewal({ status: 'failed' }, NOW, 60_000)).toBe(true)
    expect(needsRenewal({ status: 'failed', expiresAt: NOW + 3_600_000 }, NOW, 60_000)).toBe(true)
  })

  test('when they end within the threshold, and not before', () => {
    expect(needsRenewal(good(60_001), NOW, 60_000)).toBe(false)
    expect(needsRenewal(good(60_000), NOW, 60_000)).toBe(true)
    expect(needsRenewal(good(0), NOW, 60_000)).toBe(true)
    expect(needsRenewal(good(-1), NOW, 60_000)).toBe(true)
  })

  test('by a threshold of one’s own', () => {
    expect(needsRenewal(good(120_000), NOW, 300_000)).toBe(true)
    expect(needsRenewal(good(120_000), NOW, 5_000)).toBe(false)
    expect(needsRenewal(good(1), NOW, 0)).toBe(false)
  })

  test('not while they are good', () => {
    expect(needsRenewal(good(3_600_000), NOW, 60_000)).toBe(false)
  })

  test('not when nobody has shown any', () => {
    expect(needsRenewal({ status: 'none' }, NOW, 60_000)).toBe(false)
    expect(needsRenewal({ status: 'none', expiresAt: NOW - 1 }, NOW, 60_000)).toBe(false)
  })

  test('not when they have no end', () => {
    expect(needsRenewal({ status: 'authenticated' }, NOW, 60_000)).toBe(false)
  })
})
