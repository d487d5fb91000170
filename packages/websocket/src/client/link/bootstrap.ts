/** Making a link ready: who we are, then the user's frames, then the subscriptions, in that order on every connection. */
import { BootstrapError, BusError } from '@bus/core'
import type { Frame } from '../../protocol/protocol.ts'
import type { Link } from './link.ts'
import type { ResolvedOptions } from '../options/options.ts'

/** Rejects when any step fails; the attempt then counts as failed. */
export async function bootstrap(
  link: Link,
  attempt: number,
  signal: AbortSignal,
  options: Pick<ResolvedOptions, 'protocol' | 'onOpen'>,
  restore: (link: Link) => Promise<void>,
): Promise<void> {
  await step('Authenticating', async () => options.protocol.authenticate?.(link))
  const { onOpen } = options
  if (onOpen !== undefined) {
    await step('Sending the bootstrap frames', async () => {
      const { generation, subprotocol: protocol } = link
      const frames = await onOpen({ generation, attempt, protocol, signal })
      for (const frame of checkFrames(frames)) await link.send(frame)
    })
  }
  await step('Restoring the subscriptions', () => restore(link))
}

async function step(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    // Our own errors already say what to do about them.
    if (error instanceof BusError) throw error
    throw new BootstrapError(`${what} failed`, { cause: error })
  }
}

/** What a caller without types may return. */
function checkFrames(frames: unknown): readonly Frame[] {
  const isFrame = (frame: unknown): frame is Frame =>
    typeof frame === 'string' || frame instanceof Uint8Array
  if (Array.isArray(frames) && frames.every(isFrame)) return frames
  throw new BootstrapError('Expected `onOpen` to return an array of strings and Uint8Arrays')
}
