import { describe, expect, it } from 'vitest'
import { TokenBalance } from './token-balance.ts'

describe('a token balance', () => {
  it('starts full, and refills evenly up to its capacity', () => {
    const balance = new TokenBalance(10, 4, 1_000, 0)
    expect(balance.take(0, 10)).toBe(true)
    expect(balance.tokens(250)).toBe(1)
    expect(balance.tokens(60_000)).toBe(10)
  })

  it('takes all of what is asked for or nothing', () => {
    const balance = new TokenBalance(5, 0, 1_000, 0)
    expect(balance.take(0, 6)).toBe(false)
    expect(balance.take(0, 5)).toBe(true)
    expect(balance.take(0, 1)).toBe(false)
  })

  it('is overdrawn as long as a token is there, and makes up for it first', () => {
    const balance = new TokenBalance(10, 10, 1_000, 0)
    expect(balance.overdraw(0, 9)).toBe(true)
    expect(balance.overdraw(0, 21)).toBe(true)
    expect(balance.tokens(0)).toBe(-20)
    expect(balance.delayMs(0, 1)).toBe(2_100)
    expect(balance.overdraw(2_099, 1)).toBe(false)
    expect(balance.overdraw(2_100, 1)).toBe(true)
  })

  it('gets tokens back, never beyond its capacity', () => {
    const balance = new TokenBalance(10, 0, 1_000, 0)
    balance.take(0, 6)
    balance.refund(0, 4)
    expect(balance.tokens(0)).toBe(8)
    balance.refund(0, 4)
    expect(balance.tokens(0)).toBe(10)
  })
})
