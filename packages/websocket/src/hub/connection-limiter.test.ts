import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ConnectionLimiter } from './connection-limiter.ts'
import { until } from '../../test/harness.ts'

describe('a connection limiter', () => {
  it('lets each name have so many connections, and another one when one has closed', async () => {
    const limiter = new ConnectionLimiter(2)
    const [a, b] = [new PassThrough(), new PassThrough()]
    expect([a, b].map((tcp) => limiter.reserve(tcp, '192.0.2.1'))).toEqual([true, true])
    const third = new PassThrough()
    expect(limiter.reserve(third, '192.0.2.1')).toBe(false)
    expect(limiter.reserve(new PassThrough(), '192.0.2.2')).toBe(true)
    third.destroy()
    a.destroy()
    await until(() => limiter.reserve(new PassThrough(), '192.0.2.1'), 'another one')
    expect(limiter.reserve(new PassThrough(), '192.0.2.1')).toBe(false)
  })

  it('forgets a name with its last connection', async () => {
    const limiter = new ConnectionLimiter(2)
    const tcp = new PassThrough()
    limiter.reserve(tcp, '192.0.2.1')
    expect(limiter.size).toBe(1)
    tcp.destroy()
    await until(() => limiter.size === 0, 'it is forgotten')
  })

  it('does not count what has no name, or has closed already', () => {
    const limiter = new ConnectionLimiter(1)
    const gone = new PassThrough()
    gone.destroy()
    expect(limiter.reserve(gone, '192.0.2.1')).toBe(true)
    expect(limiter.reserve(new PassThrough(), undefined)).toBe(true)
    expect(limiter.reserve(new PassThrough(), undefined)).toBe(true)
    expect(limiter.size).toBe(0)
  })
})
