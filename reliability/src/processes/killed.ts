/** Killed processes: connections end without a close frame. */
import { COMEBACK_MS } from '../load/client.ts'
import type { Case } from './case.ts'
import { countOf, until } from './stage.ts'

const EVENTS = 2_000

/** SIGKILL of clients, and of the hub. */
export const KILLED: readonly Case[] = [
  {
    name: 'what a killed subscriber was handling is confirmed only when its session has ended',
    expected: { confirmedWhileItLived: 5, pendingAfterIt: 5, confirmed: 10, again: 0 },
    async run(stage) {
      const { url } = await stage.hub({ confirm: 'subscribers', graceMs: 0, sessionTtlMs: 1_000 })
      const subscriber = await stage.subscriber({ url }, { hangAt: 5 })
      const publisher = await stage.actor({ url })
      await publisher.ask('publish', 10)
      await until('it hangs', async () => (await subscriber.ask('handled')).length === 6)
      await until('the rest is settled', async () => (await publisher.ask('fates')).confirmed === 5)
      const { confirmed: confirmedWhileItLived } = await publisher.ask('fates')
      subscriber.signal('SIGKILL')
      await subscriber.ending
      const { pending: pendingAfterIt } = await publisher.ask('fates')
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      const { confirmed, again } = await publisher.ask('fates')
      return { confirmedWhileItLived, pendingAfterIt, confirmed, again }
    },
  },
  {
    name: 'a killed publisher leaves a beginning of its events, in order and each once',
    expected: { isPrefix: true, isBeginning: true, gaps: 0, sessionsLeft: 1 },
    async run(stage) {
      const { hub, url } = await stage.hub({ sessionTtlMs: 200 })
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      await publisher.ask('publish', EVENTS)
      await until('some came', async () => (await subscriber.ask('handled')).length > 0)
      publisher.signal('SIGKILL')
      await publisher.ending
      await until('its session ends', async () => (await hub.ask('stats')).sessions === 1)
      const { published, sessions } = await hub.ask('stats')
      await until(
        'the rest came',
        async () => (await subscriber.ask('handled')).length >= published,
      )
      const handled = countOf(await subscriber.ask('handled'))
      const { gaps } = await subscriber.ask('notices')
      const isBeginning = published > 0 && published <= EVENTS
      return { isPrefix: handled === published, isBeginning, gaps, sessionsLeft: sessions }
    },
  },
  {
    name: 'publishes that a killed hub had not confirmed are confirmed by the next one, each once',
    expected: { confirmed: EVENTS, again: 0, handled: EVENTS },
    async run(stage) {
      const first = await stage.hub({ confirm: 'subscribers', graceMs: COMEBACK_MS })
      const subscriber = await stage.subscriber({ url: first.url })
      const publisher = await stage.actor({ url: first.url })
      await publisher.ask('publish', EVENTS)
      await until('some came', async () => (await subscriber.ask('handled')).length > 0)
      first.hub.signal('SIGKILL')
      await first.hub.ending
      await stage.hub({ confirm: 'subscribers', graceMs: COMEBACK_MS }, first.port)
      await until('all are settled', async () => (await publisher.ask('fates')).pending === 0)
      const { confirmed, again } = await publisher.ask('fates')
      return { confirmed, again, handled: countOf(await subscriber.ask('handled')) }
    },
  },
]
