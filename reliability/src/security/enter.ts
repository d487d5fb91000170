/** Entering a hub by hand, as far as it lets one. */
import { text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { RawPeer } from '../raw/raw-peer.ts'

/** Who enters, and with what. */
export interface Entrance {
  readonly token?: string
  /** More of the first line. */
  readonly hello?: Readonly<Record<string, unknown>>
}

/** Speaks `bus.v1`; resolves when it was welcomed, or refused in whatever way. */
export async function enter(port: number, entrance: Entrance = {}): Promise<RawPeer> {
  const peer = await RawPeer.dial(port)
  peer.write(handshake())
  await peer.until((entry) => entry.startsWith('HTTP'))
  const { token } = entrance
  peer.write(text(hello({ ...(token === undefined ? {} : { token }), ...entrance.hello })))
  await peer.until((entry) => entry.startsWith('welcome'))
  return peer
}

/** What a welcome says of the session; `undefined`: there was none. */
export function sessionOf(peer: RawPeer): { sid: string; resumed: boolean } | undefined {
  const line = peer.transcript.find((entry) => entry.startsWith('welcome'))
  if (line === undefined) return undefined
  return JSON.parse(line.slice('welcome '.length)) as { sid: string; resumed: boolean }
}

/** How it ended: `HTTP 503`, `close 4401 unauthorized`, `end`; `undefined` while it lives. */
export function endOf(peer: RawPeer): string | undefined {
  return peer.transcript.find((entry) => /^(HTTP [^1]|close |end$|reset$)/.test(entry))
}

/** Counts alike things. */
export function tally(things: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const thing of things) counts[thing] = (counts[thing] ?? 0) + 1
  return counts
}
