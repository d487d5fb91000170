/** Suspects a server that takes events and says nothing: it may expect another dialect. */
import { ProtocolError, type Clock } from '@bus/core'
import { redactUrl, setLongTimeout } from '@bus/core/kit'
import type { Link } from './link/link.ts'

/** How long a server may take events without a word before that is suspicious, in milliseconds. */
const SILENCE_MS = 10_000

/**
 * Looks at the link from time to time, until a message has come.
 *
 * @param sent - events that were sent so far
 * @param suspect - gets the suspicion, once
 * @returns a function that ends it
 */
export function watchSilence(
  link: Pick<Link, 'isSilent' | 'url'>,
  clock: Clock,
  sent: () => number,
  suspect: (error: ProtocolError) => void,
): () => void {
  const before = sent()
  let stop = (): void => {}
  const look = (): void => {
    if (!link.isSilent) return
    const events = sent() - before
    if (events === 0) stop = setLongTimeout(clock, SILENCE_MS, look)
    else suspect(suspicion(link.url, events))
  }
  stop = setLongTimeout(clock, SILENCE_MS, look)
  return () => stop()
}

function suspicion(url: string, events: number): ProtocolError {
  return new ProtocolError(
    `The server at ${redactUrl(url)} does not speak bus.v1, has taken ${events} events as plain JSON and never sent a message: ` +
      'it may expect another dialect. Choose one as `protocol`, or plainJson() if it is right that nothing comes',
  )
}
