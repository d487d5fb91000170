import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ConnectionLimiter } from './metering.ts'
import { until } from '../../test/harness.ts'

describe('the places', () => {
  it('are so many for each name, and a place again when one has closed', async () => {
    const places = new ConnectionLimiter(2)
    const [a, b] = [new PassThrough(), new PassThrough()]
    expect([a, b].map((tcp) => places.reserve(tcp, '192.0.2.1'))).toEqual([true, true])
    const third = new PassThrough()
    expect(places.reserve(third, '192.0.2.1')).toBe(false)
    expect(places.reserve(new PassThrough(), '192.0.2.2')).toBe(true)
    third.destroy()
    a.destroy()
    await until(() => places.reserve(new PassThrough(), '192.0.2.1'), 'a place')
    expect(places.reserve(new PassThrough(), '192.0.2.1')).toBe(false)
  })

  it('of a name are forgotten with its last connection', async () => {
    const places = new ConnectionLimiter(2)
    const tcp = new PassThrough()
    places.reserve(tcp, '192.0.2.1')
    expect(places.size).toBe(1)
    tcp.destroy()
    await until(() => places.size === 0, 'it is forgotten')
  })

  it('do not count what has no name, or is gone already', () => {
    const places = new ConnectionLimiter(1)
    const gone = new PassThrough()
    gone.destroy()
    expect(places.reserve(gone, '192.0.2.1')).toBe(true)
    expect(places.reserve(new PassThrough(), undefined)).toBe(true)
    expect(places.reserve(new PassThrough(), undefined)).toBe(true)
    expect(places.size).toBe(0)
  })
})
