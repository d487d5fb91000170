/** Processes that leave: in order, in a hurry, and with nothing that holds them. */
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { findFreePort } from '../process/free-port.ts'
import type { Case } from './case.ts'
import { countOf, depart, until } from './stage.ts'

const EVENTS = 2_000
const FEW = 50
const CLIENTS = 200
const STRICT = ['--unhandled-rejections=strict']
const GOOD = { code: 0, signal: null, inTime: true }

const nowhere = async (): Promise<string> => `ws://127.0.0.1:${await findFreePort()}`

/** SIGTERM, drain, close, and the end of a process by itself. */
export const LEAVING: readonly Case[] = [
  {
    name: 'SIGTERM: a publisher that drains settles everything that it published, and ends by itself',
    expected: { unsent: 0, confirmed: EVENTS, handled: EVENTS, end: GOOD },
    async run(stage) {
      const { url } = await stage.hub()
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      await publisher.ask('connect')
      const draining = publisher.ask('drainOnSigterm')
      await publisher.ask('publish', EVENTS)
      publisher.signal('SIGTERM')
      const { unsent } = await draining
      const { confirmed } = await publisher.ask('fates')
      const end = await depart(publisher)
      await until('all are handled', async () => (await subscriber.ask('handled')).length >= EVENTS)
      return {
        unsent: unsent.length,
        confirmed,
        handled: countOf(await subscriber.ask('handled')),
        end,
      }
    },
  },
  {
    name: 'SIGTERM: a subscriber that drains has handled what it took, and ends by itself',
    expected: { unhandled: 0, isPrefix: true, end: GOOD },
    async run(stage) {
      const { url } = await stage.hub()
      const subscriber = await stage.subscriber({ url })
      const publisher = await stage.actor({ url })
      const draining = subscriber.ask('drainOnSigterm')
      await publisher.ask('publish', EVENTS)
      await until('some came', async () => (await subscriber.ask('handled')).length > 0)
      subscriber.signal('SIGTERM')
      const { unhandled } = await draining
      const isPrefix = typeof countOf(await subscriber.ask('handled')) === 'number'
      return { unhandled, isPrefix, end: await depart(subscriber) }
    },
  },
  {
    name: 'a drain that a frozen hub does not answer ends on time, and names what it leaves',
    expected: { unsent: FEW, unknown: FEW, pending: 0, end: GOOD },
    async run(stage) {
      const { hub, url } = await stage.hub()
      const publisher = await stage.actor({ url })
      await publisher.ask('connect')
      hub.signal('SIGSTOP')
      await publisher.ask('publish', FEW)
      const { unsent } = await publisher.ask('drain', { timeoutMs: 300 })
      const { unknown, pending } = await publisher.ask('fates')
      return { unsent: unsent.length, unknown, pending, end: await depart(publisher) }
    },
  },
  {
    name: 'a process that closes without a link is told of each event that was never sent',
    expected: { notSent: FEW, pending: 0, end: GOOD },
    async run(stage) {
      const publisher = await stage.actor({ url: await nowhere() })
      await publisher.ask('publish', FEW)
      await publisher.ask('close')
      const { 'not-sent': notSent, pending } = await publisher.ask('fates')
      return { notSent, pending, end: await depart(publisher) }
    },
  },
  {
    name: 'nothing holds the process of a client that was used and closed',
    expected: { confirmed: FEW, end: GOOD },
    async run(stage) {
      const { url } = await stage.hub()
      const client = await stage.subscriber({ url })
      await client.ask('publish', FEW)
      await until('all are settled', async () => (await client.ask('fates')).pending === 0)
      const { confirmed } = await client.ask('fates')
      await client.ask('close')
      return { confirmed, end: await depart(client) }
    },
  },
  {
    name: 'nothing holds the process of a client that was closed while it waited for its next attempt',
    expected: { end: GOOD },
    async run(stage) {
      const client = await stage.actor({ url: await nowhere() })
      await client.ask('dial')
      await client.ask('close')
      return { end: await depart(client) }
    },
  },
  {
    name: 'nothing holds the process of a client that was closed while a server did not answer its dial',
    expected: { end: GOOD },
    async run(stage) {
      const silent = createServer().listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const { port } = silent.address() as AddressInfo
      const client = await stage.actor({ url: `ws://127.0.0.1:${port}` })
      const dialed = once(silent, 'connection')
      await client.ask('dial')
      await dialed
      await client.ask('close')
      const end = await depart(client)
      silent.close()
      return { end }
    },
  },
  {
    name: 'SIGTERM: a hub sends all its clients away, ends by itself, and the next one has them back',
    expected: { connections: CLIENTS, closes: { 1001: CLIENTS }, end: GOOD, returns: CLIENTS },
    async run(stage) {
      const first = await stage.hub()
      const clients = await stage.subscriber({ url: first.url, clients: CLIENTS })
      const closing = first.hub.ask('closeOnSigterm', { spreadMs: 200 })
      // It has begun to wait for the signal when it answers the next question.
      await first.hub.ask('stats')
      first.hub.signal('SIGTERM')
      const connections = await closing
      const end = await depart(first.hub)
      await stage.hub({}, first.port)
      await until('all are back', async () => (await clients.ask('notices')).returns >= CLIENTS)
      const { returns, closes } = await clients.ask('notices')
      return { connections, closes, end, returns }
    },
  },
  {
    name: 'a failed publish that nobody awaits ends a strict process with code 1',
    expected: { code: 1, signal: null },
    async run(stage) {
      const client = await stage.actor(
        { url: await nowhere() },
        { execArgv: STRICT, isMeantToFail: true },
      )
      await client.ask('publishUnheard')
      // It ends before it can answer.
      await client.ask('close').catch(() => {})
      return { ...(await client.ending) }
    },
  },
  {
    name: 'a failed emit ends no process, and is told',
    expected: { wasTaken: true, givenUp: { closed: 1 }, end: GOOD },
    async run(stage) {
      const client = await stage.actor({ url: await nowhere() }, { execArgv: STRICT })
      const wasTaken = await client.ask('emit')
      await client.ask('close')
      const { givenUp } = await client.ask('notices')
      return { wasTaken, givenUp, end: await depart(client) }
    },
  },
]
