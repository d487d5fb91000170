/** Comparing secrets without telling by the time that it takes how much of one was right. */
import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Whether somebody has shown the secret that is expected, for instance in `authenticate`. Nothing is as good as no secret:
 * neither an absent nor an empty one is ever the same.
 *
 * @example
 * ```ts
 * import { createHub, isSameSecret } from '@bus/websocket/hub'
 *
 * const hub = await createHub({
 *   authenticate: ({ token }) => (isSameSecret(token, process.env['HUB_TOKEN']) ? { id: 'shop' } : null),
 * })
 * await hub.close()
 * ```
 */
export function isSameSecret(shown: string | undefined, expected: string | undefined): boolean {
  if (shown === undefined || shown === '' || expected === undefined || expected === '') return false
  // Of equal length, whatever the secrets are.
  return timingSafeEqual(hash(shown), hash(expected))
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
