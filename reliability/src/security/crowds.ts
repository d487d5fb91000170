/** Crowds: as many connections as there are places, of all, of an address, of a principal. */
import { ruleToken, type WatchedSettings } from '../hub/watched-orders.ts'
import type { RawPeer } from '../raw/raw-peer.ts'
import { atLeast, atMost, exactly } from '../report/bar.ts'
import { endOf, enter, tally } from './enter.ts'
import type { Scene } from './scene.ts'

const PLACES = { full: 400, quick: 200, smoke: 30 } as const
const STAMPEDE = { full: 3_000, quick: 600, smoke: 260 } as const
/** Dials that are under way at once: what the machine has to bear, not the hub. */
const AT_ONCE = 100

async function crowd(count: number, dial: () => Promise<RawPeer>): Promise<RawPeer[]> {
  const peers: RawPeer[] = []
  while (peers.length < count) {
    const more = Math.min(AT_ONCE, count - peers.length)
    peers.push(...(await Promise.all(Array.from({ length: more }, dial))))
  }
  return peers
}

function leave(peers: readonly RawPeer[]): Record<string, number> {
  const ends = tally(peers.map((peer) => endOf(peer) ?? 'in'))
  for (const peer of peers) peer[Symbol.dispose]()
  return ends
}

/** Twice as many as there are places. */
export const crowds: Scene = async ({ hubs, size, say }) => {
  const places = PLACES[size]
  const token = ruleToken({ id: 'crowd' })
  const fill = async (name: string, settings: WatchedSettings): Promise<Record<string, number>> => {
    const port = await hubs.open(name, { ...settings, helloMs: 30_000 })
    say(`a crowd for ${name}`)
    return leave(await crowd(2 * places, () => enter(port, settings.tokens && { token })))
  }
  const total = await fill('total', { allowAnonymous: true, limits: { connections: places } })
  const address = await fill('address', {
    allowAnonymous: true,
    limits: { connectionsPerIp: places },
  })
  const principal = await fill('principal', {
    tokens: {},
    limits: { connectionsPerPrincipal: places },
  })
  const sessions = await fill('sessions of all', {
    allowAnonymous: true,
    limits: { sessions: places },
  })
  return {
    figures: { total, address, principal, sessions },
    bars: [
      exactly('crowds: in, of all', total['in'] ?? 0, places),
      exactly('crowds: refused with 503, of all', total['HTTP 503'] ?? 0, places),
      exactly('crowds: in, of an address', address['in'] ?? 0, places),
      exactly('crowds: refused with 429, of an address', address['HTTP 429'] ?? 0, places),
      exactly('crowds: in, of a principal', principal['in'] ?? 0, places),
      exactly(
        'crowds: ended with 4429, of a principal',
        principal['close 4429 connections'] ?? 0,
        places,
      ),
      exactly('crowds: in, with a session', sessions['in'] ?? 0, places),
      exactly(
        'crowds: ended with 4503, without a session',
        sessions['close 4503 sessions'] ?? 0,
        places,
      ),
    ],
  }
}

/** Everybody comes at once, and looking up who somebody is takes its time. */
export const stampede: Scene = async ({ hubs, size, say }) => {
  const count = STAMPEDE[size]
  const port = await hubs.open('stampede', {
    tokens: {},
    helloMs: 60_000,
    limits: { authentications: 50, connectionsPerIp: count + 10 },
  })
  say(`a stampede of ${count}`)
  let callers = 0
  const ends = leave(
    await crowd(count, () => {
      const token = ruleToken({ id: `many-${callers++}`, delayMs: 5 })
      return enter(port, { token })
    }),
  )
  const { authentications } = await hubs.look()
  // A directory that can serve so many and no more: who waits too long is told so.
  const slow = await hubs.open('a slow directory', {
    tokens: {},
    helloMs: 800,
    limits: { authentications: 2 },
  })
  const token = ruleToken({ id: 'slow', delayMs: 100 })
  const turns = leave(await crowd(AT_ONCE, () => enter(slow, { token })))
  const told =
    (turns['in'] ?? 0) +
    (turns['close 4503 authentication'] ?? 0) +
    (turns['close 4408 hello'] ?? 0)
  return {
    figures: { ends, authentications, turns },
    bars: [
      atMost('stampede: authentications at once', authentications, 50),
      exactly('stampede: in, each in its turn', ends['in'] ?? 0, count),
      exactly('stampede: in or told to come back, of a slow directory', told, AT_ONCE),
      atLeast('stampede: in, of a slow directory', turns['in'] ?? 0, 1),
    ],
  }
}
