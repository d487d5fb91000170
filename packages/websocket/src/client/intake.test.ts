import { ConnectionError, type BreakerStateName, type TransportStatus } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { Intake } from './rooms.ts'

const ready: TransportStatus = { state: 'ready', since: 0, generation: 1, protocol: '' }
const idle: TransportStatus = { state: 'idle', since: 0 }

function setUp(
  whenDisconnected: 'queue' | 'reject',
  status: TransportStatus,
  breaker?: BreakerStateName,
): Intake {
  return new Intake({ status: () => status, breaker: () => breaker, whenDisconnected })
}

describe('the intake', () => {
  test('takes everything while it may wait in the queue', () => {
    expect(setUp('queue', idle, 'open').refusal()).toBeUndefined()
  })

  test('without a queue takes what can leave now, and says why nothing else', () => {
    expect(setUp('reject', ready).refusal()).toBeUndefined()
    expect(setUp('reject', idle).refusal()).toMatchObject({ code: 'disconnected' })
    expect(setUp('reject', idle, 'half-open').refusal()).toMatchObject({ code: 'disconnected' })
    expect(setUp('reject', idle, 'open').refusal()).toMatchObject({ code: 'circuit-open' })
  })

  test('takes nothing while it drains, nor when it is closed, in which order ever', () => {
    const intake = setUp('queue', ready)
    intake.drain()
    expect(intake.refusal()).toMatchObject({ code: 'draining', outcome: 'not-sent' })
    intake.close()
    intake.drain()
    expect(intake.refusal()).toMatchObject({ code: 'closed', outcome: 'not-sent' })
    expect([intake.isOpen, intake.isClosed]).toEqual([false, true])
  })

  test('names why it is closed', () => {
    const cause = new ConnectionError('gone')
    const intake = setUp('queue', { state: 'closed', since: 0, cause })
    intake.close()
    expect(intake.refusal()).toMatchObject({ code: 'closed', cause })
    const other = new ConnectionError('other')
    expect(intake.closedError(other).cause).toBe(other)
  })
})
