import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Addresses } from './addresses.ts'
import { until } from '../../test/harness.ts'

describe('the addresses', () => {
  it('have so many connections each, and a place again when one has closed', async () => {
    const addresses = new Addresses(2)
    const [a, b] = [new PassThrough(), new PassThrough()]
    expect([a, b].map((tcp) => addresses.enter(tcp, '192.0.2.1'))).toEqual([true, true])
    const third = new PassThrough()
    expect(addresses.enter(third, '192.0.2.1')).toBe(false)
    expect(addresses.enter(new PassThrough(), '192.0.2.2')).toBe(true)
    third.destroy()
    a.destroy()
    await until(() => addresses.enter(new PassThrough(), '192.0.2.1'), 'a place')
    expect(addresses.enter(new PassThrough(), '192.0.2.1')).toBe(false)
  })

  it('are forgotten with their last connection', async () => {
    const addresses = new Addresses(2)
    const tcp = new PassThrough()
    addresses.enter(tcp, '192.0.2.1')
    expect(addresses.size).toBe(1)
    tcp.destroy()
    await until(() => addresses.size === 0, 'it is forgotten')
  })

  it('do not count what has no address, or is gone already', () => {
    const addresses = new Addresses(1)
    const gone = new PassThrough()
    gone.destroy()
    expect(addresses.enter(gone, '192.0.2.1')).toBe(true)
    expect(addresses.enter(new PassThrough(), undefined)).toBe(true)
    expect(addresses.enter(new PassThrough(), undefined)).toBe(true)
    expect(addresses.size).toBe(0)
  })
})
