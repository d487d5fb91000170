/** Refused patterns: asking a server for many at once, and finding out which of them it does not allow. */
import { RejectedError } from '@bus/core'
import type { ProtocolLink } from '../../protocol/protocol.ts'
import type { Session } from '../link/session.ts'

/**
 * Asks for all at once, and where the server refuses, for each alone.
 *
 * @returns those that it refused, each with its error; any other failure is thrown
 */
export async function askFor(
  remote: Pick<Session, 'subscribe'>,
  patterns: readonly string[],
  link: ProtocolLink,
): Promise<Map<string, Error>> {
  const refused = new Map<string, Error>()
  try {
    await remote.subscribe?.(patterns, link)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    const [first, ...others] = patterns
    if (first !== undefined && others.length === 0) return refused.set(first, error)
    for (const pattern of patterns) {
      const [refusal] = await askFor(remote, [pattern], link)
      if (refusal !== undefined) refused.set(...refusal)
    }
  }
  return refused
}
