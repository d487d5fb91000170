import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import type { HeartbeatProfile } from '../../protocol/heartbeat-profile.ts'
import { ApplicationHeartbeat } from './application-heartbeat.ts'

function setUp(profile: Omit<HeartbeatProfile, 'name'>) {
  const clock = new FakeClock()
  const sent: unknown[] = []
  const failures: unknown[] = []
  const ports = {
    send: (frame: unknown) => void sent.push(frame),
    failed: (error: unknown) => void failures.push(error),
  }
  const heartbeat = new ApplicationHeartbeat({ name: 'own', ...profile }, ports, clock)
  return { clock, sent, failures, heartbeat }
}

describe('the heartbeat of the application', () => {
  test('ticks at its interval until it is stopped', () => {
    let n = 0
    const { clock, sent, heartbeat } = setUp({ intervalMs: 10, onTick: () => `t${++n}` })
    heartbeat.start()
    clock.advance(35)
    expect(sent).toEqual(['t1', 't2', 't3'])
    heartbeat.stop()
    clock.advance(100)
    expect(sent).toHaveLength(3)
    expect(clock.pending).toBe(0)
  })

  test('ticks every thirty seconds where nothing is said', () => {
    const { clock, sent, heartbeat } = setUp({ onTick: () => 't' })
    heartbeat.start()
    clock.advance(29_999)
    expect(sent).toEqual([])
    clock.advance(1)
    expect(sent).toEqual(['t'])
  })

  test('has no timer where there is nothing to tick, and sends nothing for a tick without a frame', () => {
    const without = setUp({ onFrame: () => ({}) })
    without.heartbeat.start()
    expect(without.clock.pending).toBe(0)
    const { clock, sent, heartbeat } = setUp({ intervalMs: 1, onTick: () => undefined })
    heartbeat.start()
    clock.advance(5)
    expect(sent).toEqual([])
  })

  test('answers, takes, or leaves a frame', () => {
    const onFrame = (frame: unknown) =>
      frame === 'ping' ? { reply: 'pong' } : frame === 'beat' ? {} : undefined
    const { sent, heartbeat } = setUp({ onFrame })
    expect(['ping', 'beat', 'event'].map((frame) => heartbeat.take(frame))).toEqual([
      true,
      true,
      false,
    ])
    expect(sent).toEqual(['pong'])
  })

  test('goes on after the profile threw, and leaves the frame to others', () => {
    const broken = (): never => {
      throw new Error('broken')
    }
    const { clock, failures, heartbeat } = setUp({
      intervalMs: 10,
      onTick: broken,
      onFrame: broken,
    })
    heartbeat.start()
    clock.advance(20)
    expect(heartbeat.take('x')).toBe(false)
    expect(failures).toHaveLength(3)
  })
})
