/** Breaking the connection of a transport, and waiting until it is restored. */
import type { Transport } from '@bus/core'
import type { World } from '../world/world.ts'
import { FakeClock } from '../../fake-clock.ts'

type Waits = Pick<World, 'until'>

/** Breaks it, and resolves when the transport has seen the loss and is ready again. */
export async function relinked(
  world: Waits,
  transport: Transport,
  breakLink: () => Promise<unknown>,
): Promise<void> {
  await lost(world, transport, breakLink)
  await world.until(
    () => transport.status.state === 'ready',
    'the transport to be ready again',
    () => transport.status,
  )
}

/** Breaks it, and resolves when the transport has seen the loss. */
export async function lost(
  world: Waits,
  transport: Transport,
  breakLink: () => Promise<unknown>,
): Promise<void> {
  let isSeen = false
  const saw = (): void => void (isSeen = true)
  const stops = [
    transport.on('close', saw),
    transport.on('status', ({ previous }) => {
      if (previous.state === 'ready') saw()
    }),
  ]
  try {
    await breakLink()
    await world.until(
      () => isSeen,
      'the transport to notice that its link is lost',
      () => transport.status,
    )
  } finally {
    for (const stop of stops) stop()
  }
}

/** A transport for which no wait before an attempt takes time. Dialing takes as long as the machine does. */
export function eagerTransport(world: World): {
  readonly transport: Transport
  readonly clock: FakeClock
  /** From now on. */
  readonly skipDelays: () => void
} {
  const clock = new FakeClock()
  const transport = world.transport({ clock })
  let isSkipping = false
  const push = (): void => {
    const { status } = transport
    if (status.state !== 'backoff') return
    clock.advance(status.delayMs)
    // A wait may have parts: the next begins when the one before has ended.
    setImmediate(push)
  }
  const skipDelays = (): void => {
    if (isSkipping) return
    isSkipping = true
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff') setImmediate(push)
    })
    push()
  }
  return { transport, clock, skipDelays }
}
