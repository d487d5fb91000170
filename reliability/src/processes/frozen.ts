/** Frozen processes: their kernel still answers, they do not. */
import type { Case } from './case.ts'
import { countOf, pass, until } from './stage.ts'

const EVENTS = 100
/** Milliseconds in which something would have happened. */
const LONG_ENOUGH_MS = 300
const HEARTBEAT = { intervalMs: 300, timeoutMs: 300 }

/** SIGSTOP and SIGCONT, of the hub and of clients. */
export const FROZEN: readonly Case[] = [
  {
    name: 'a frozen hub confirms nothing, and each publish once when it wakes',
    expected: {
      pendingMeanwhile: EVENTS,
      confirmed: EVENTS,
      again: 0,
      handled: EVENTS,
      returns: 0,
    },
    async run(stage) {
      const { hub, url } = await stage.hub()
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      await publisher.ask('connect')
      hub.signal('SIGSTOP')
      await publisher.ask('publish', EVENTS)
      await pass(LONG_ENOUGH_MS)
      const { pending: pendingMeanwhile } = await publisher.ask('fates')
      hub.signal('SIGCONT')
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      await until('all are handled', async () => (await subscriber.ask('handled')).length >= EVENTS)
      const { confirmed, again } = await publisher.ask('fates')
      const { returns } = await publisher.ask('notices')
      const handled = countOf(await subscriber.ask('handled'))
      return { pendingMeanwhile, confirmed, again, handled, returns }
    },
  },
  {
    name: 'a hub that is frozen for longer than a heartbeat is left, and its session resumed',
    expected: { wasLeft: true, confirmed: EVENTS, again: 0, handled: EVENTS, gaps: 0 },
    async run(stage) {
      const { hub, url } = await stage.hub()
      const subscriber = await stage.subscriber({ url, heartbeat: HEARTBEAT })
      const publisher = await stage.actor({ url, heartbeat: HEARTBEAT })
      await publisher.ask('connect')
      hub.signal('SIGSTOP')
      await publisher.ask('publish', EVENTS)
      await until(
        'the link is given up',
        async () => (await publisher.ask('notices')).heartbeatTimeouts > 0,
      )
      hub.signal('SIGCONT')
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      await until('all are handled', async () => (await subscriber.ask('handled')).length >= EVENTS)
      const { confirmed, again } = await publisher.ask('fates')
      const { returns } = await publisher.ask('notices')
      const { gaps } = await subscriber.ask('notices')
      const handled = countOf(await subscriber.ask('handled'))
      return { wasLeft: returns > 0, confirmed, again, handled, gaps }
    },
  },
  {
    name: 'a frozen subscriber handles each event once when it wakes',
    expected: { confirmedMeanwhile: EVENTS, handled: EVENTS, gaps: 0, returns: 0 },
    async run(stage) {
      const { url } = await stage.hub()
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      subscriber.signal('SIGSTOP')
      await publisher.ask('publish', EVENTS)
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      const { confirmed: confirmedMeanwhile } = await publisher.ask('fates')
      subscriber.signal('SIGCONT')
      await until('all are handled', async () => (await subscriber.ask('handled')).length >= EVENTS)
      const { gaps, returns } = await subscriber.ask('notices')
      const handled = countOf(await subscriber.ask('handled'))
      return { confirmedMeanwhile, handled, gaps, returns }
    },
  },
  {
    name: 'a subscriber that is frozen for longer than the hub waits is cut, and resumes without a gap',
    expected: { handled: EVENTS, gaps: 0, wasCut: true, sessions: 2 },
    async run(stage) {
      const { hub, url } = await stage.hub({ heartbeatMs: 200 })
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      await publisher.ask('connect')
      subscriber.signal('SIGSTOP')
      await until('it is cut', async () => (await hub.ask('stats')).connections === 1)
      await publisher.ask('publish', EVENTS)
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      subscriber.signal('SIGCONT')
      await until('all are handled', async () => (await subscriber.ask('handled')).length >= EVENTS)
      const { gaps, returns } = await subscriber.ask('notices')
      const { sessions } = await hub.ask('stats')
      const handled = countOf(await subscriber.ask('handled'))
      return { handled, gaps, wasCut: returns > 0, sessions }
    },
  },
  {
    name: 'a client that was frozen for three of its idle limits judges nobody, and makes one new link at most',
    expected: { heartbeatTimeouts: 0, atMostOne: true, confirmed: EVENTS, again: 0 },
    async run(stage) {
      const { url } = await stage.hub()
      const publisher = await stage.actor({ url, heartbeat: HEARTBEAT })
      await publisher.ask('connect')
      publisher.signal('SIGSTOP')
      await pass(3 * (HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs))
      publisher.signal('SIGCONT')
      await publisher.ask('publish', EVENTS)
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      const { confirmed, again } = await publisher.ask('fates')
      const { returns, heartbeatTimeouts } = await publisher.ask('notices')
      return { heartbeatTimeouts, atMostOne: returns <= 1, confirmed, again }
    },
  },
]
