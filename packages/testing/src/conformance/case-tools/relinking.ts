/** Breaking the link of a transport, and waiting until it is sound again. */
import type { Transport } from '@bus/core'
import type { World } from '../world/world.ts'

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
