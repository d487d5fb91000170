import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Places } from './metering.ts'
import { until } from '../../test/harness.ts'

describe('the places', () => {
  it('are so many for each name, and a place again when one has closed', async () => {
    const places = new Places(2)
    const [a, b] = [new PassThrough(), new PassThrough()]
    expect([a, b].map((tcp) => places.enter(tcp, '192.0.2.1'))).toEqual([true, true])
    const third = new PassThrough()
    expect(places.enter(third, '192.0.2.1')).toBe(false)
    expect(places.enter(new PassThrough(), '192.0.2.2')).toBe(true)
    third.destroy()
    a.destroy()
    await until(() => places.enter(new PassThrough(), '192.0.2.1'), 'a place')
    expect(places.enter(new PassThrough(), '192.0.2.1')).toBe(false)
  })

  it('of a name are forgotten with its last connection', async () => {
    const places = new Places(2)
    const tcp = new PassThrough()
    places.enter(tcp, '192.0.2.1')
    expect(places.size).toBe(1)
    tcp.destroy()
    await until(() => places.size === 0, 'it is forgotten')
  })

  it('do not count what has no name, or is gone already', () => {
    const places = new Places(1)
    const gone = new PassThrough()
    gone.destroy()
    expect(places.enter(gone, '192.0.2.1')).toBe(true)
    expect(places.enter(new PassThrough(), undefined)).toBe(true)
    expect(places.enter(new PassThrough(), undefined)).toBe(true)
    expect(places.size).toBe(0)
  })
})
