/** Sessions: they belong to who began them, end with their credentials, and can be taken away. */
import { ruleToken } from '../hub/watched-orders.ts'
import { text } from '../raw/frame.ts'
import type { RawPeer } from '../raw/raw-peer.ts'
import { exactly } from '../report/bar.ts'
import { endOf, enter, sessionOf, tally } from './enter.ts'
import type { Scene } from './scene.ts'

const VICTIMS = { full: 200, quick: 50, smoke: 10 } as const
const BODY = '{"payload":1,"metadata":{"timestamp":1}}'
const GRACE_MS = 30_000
const SUBS = [{ id: 1, pattern: 'secret.>', mode: 'alo' }]

const victim = ruleToken({ id: 'victim' })
const thief = ruleToken({ id: 'thief', grants: { subscribe: [], publish: ['other.>'] } })

/** The session of somebody else is as unknown as one that never was. */
async function steal(port: number, count: number): Promise<{ resumed: number; heard: number }> {
  let resumed = 0
  let heard = 0
  for (let i = 0; i < count; i++) {
    using owner = await enter(port, { token: victim, hello: { subs: SUBS } })
    owner.write(text(`pub 1 secret.a i ${BODY}`))
    await owner.until((entry) => entry === 'ok 1')
    const { sid = '' } = sessionOf(owner) ?? {}
    using other = await enter(port, { token: thief, hello: { sid, offset: 0, subs: SUBS } })
    if (sessionOf(other)?.resumed !== false) resumed++
    heard += other.transcript.filter((entry) => /^[er]v /.test(entry)).length
    // The owner was not disturbed.
    if (owner.isOver) resumed++
  }
  return { resumed, heard }
}

async function ended(peers: readonly RawPeer[]): Promise<Record<string, number>> {
  await Promise.all(peers.map((peer) => peer.until(() => peer.isOver)))
  const ends = tally(peers.map((peer) => endOf(peer) ?? 'lives'))
  for (const peer of peers) peer[Symbol.dispose]()
  return ends
}

/** Stolen, revoked, expired. */
export const sessions: Scene = async ({ hubs, size, say }) => {
  const count = VICTIMS[size]
  const port = await hubs.open('sessions', { tokens: {}, holdMs: 200 })
  const stolen = await steal(port, count)
  say('sessions were not stolen')
  const revoked: RawPeer[] = []
  for (let i = 0; i < count; i++) revoked.push(await enter(port, { token: victim }))
  const sids = revoked.map((peer) => sessionOf(peer)?.sid ?? '')
  await hubs.revoke('sessions', 'victim')
  const revokedEnds = await ended(revoked)
  let afterwards = 0
  for (const sid of sids) {
    using peer = await enter(port, { token: victim, hello: { sid } })
    if (sessionOf(peer)?.resumed === true) afterwards++
  }
  say('sessions were revoked')
  // They end in a moment, counted from the grace that is given to clocks that differ.
  const brief = ruleToken({ id: 'brief', expiresInMs: 800 - GRACE_MS })
  const over = ruleToken({ id: 'over', expiresInMs: -1_000 - GRACE_MS })
  const expiring = await Promise.all(
    Array.from({ length: count }, () => enter(port, { token: brief })),
  )
  const [renewed] = expiring
  renewed?.write(text(`auth ${JSON.stringify({ token: ruleToken({ id: 'brief' }) })}`))
  const expiredEnds = await ended(expiring.slice(1))
  const refused = await ended(await Promise.all(expiring.map(() => enter(port, { token: over }))))
  const isLive = renewed?.isOver === false
  renewed?.[Symbol.dispose]()
  return {
    figures: { stolen, revokedEnds, expiredEnds, refused },
    bars: [
      exactly('sessions: stolen', stolen.resumed, 0),
      exactly('sessions: events heard by thieves', stolen.heard, 0),
      exactly('revoke: closed with 4403', revokedEnds['close 4403 revoked'] ?? 0, count),
      exactly('revoke: resumed afterwards', afterwards, 0),
      exactly('expiry: closed with 4401', expiredEnds['close 4401 expired'] ?? 0, count - 1),
      exactly('expiry: ended although renewed', isLive ? 0 : 1, 0),
      exactly('expiry: refused when it is over', refused['close 4401 unauthorized'] ?? 0, count),
    ],
  }
}
