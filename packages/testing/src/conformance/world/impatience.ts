/** A clock for a transport that shall not wait between attempts: its time passes as soon as it waits. */
import type { Transport } from '@bus/core'
import { FakeClock } from '../../fake-clock.ts'
import type { World } from './world.ts'

/** A transport for which no wait before an attempt takes time. Dialing takes as long as the machine does. */
export function impatientTransport(world: World): {
  readonly transport: Transport
  readonly clock: FakeClock
  /** From now on. */
  readonly hurry: () => void
} {
  const clock = new FakeClock()
  const transport = world.transport({ clock })
  let isHurrying = false
  const push = (): void => {
    const { status } = transport
    if (status.state !== 'backoff') return
    clock.advance(status.delayMs)
    // A wait may have parts: the next begins when the one before has ended.
    setImmediate(push)
  }
  const hurry = (): void => {
    if (isHurrying) return
    isHurrying = true
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff') setImmediate(push)
    })
    push()
  }
  return { transport, clock, hurry }
}
