/** The process of watched hubs: opens hubs on command, and reports everything that can be seen of them. */
import { inspect } from 'node:util'
import { captureTelemetry } from '@bus/testing'
import { createHub, type Authenticate, type Hub, type HubOptions } from '@bus/websocket/hub'
import { LoopWatch } from '../report/loop-watch.ts'
import { Mishaps } from '../report/mishaps.ts'
import {
  RULE_TOKEN,
  type TokenRule,
  type WatchedNews,
  type WatchedOrder,
  type WatchedSettings,
} from './watched-orders.ts'

/** What every object has before anything came in. */
const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype).length

const mishaps = new Mishaps()
const loop = new LoopWatch()
const telemetry = captureTelemetry()
const hubs = new Map<string, Hub>()
const told: string[] = []
const authentications = { now: 0, most: 0 }

const tell = (news: WatchedNews): void => void process.send?.(news)

function hubNamed(name: string): Hub {
  const hub = hubs.get(name)
  if (hub === undefined) throw new Error(`There is no hub ${name}`)
  return hub
}

async function judge(rule: TokenRule | undefined): Promise<ReturnType<Authenticate>> {
  if (rule === undefined) return null
  const { id, grants, expiresInMs, delayMs, fails } = rule
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs))
  if (fails === 'hangs') await new Promise(() => {})
  if (fails === 'throws') throw new Error('The directory is not there')
  if (fails === 'nonsense') return { name: id } as never
  return {
    id,
    ...(grants === undefined ? {} : { grants }),
    ...(expiresInMs === undefined ? {} : { expiresAt: Date.now() + expiresInMs }),
  }
}

function byToken(tokens: Readonly<Record<string, TokenRule>>): Authenticate {
  const rules = new Map(Object.entries(tokens))
  return async ({ token }) => {
    authentications.now++
    authentications.most = Math.max(authentications.most, authentications.now)
    try {
      return await judge(token === undefined ? undefined : (rules.get(token) ?? described(token)))
    } finally {
      authentications.now--
    }
  }
}

/** A token that says itself what it is for, where so many are needed that a table would be too long. */
function described(token: string): TokenRule | undefined {
  if (!token.startsWith(RULE_TOKEN)) return undefined
  return JSON.parse(
    Buffer.from(token.slice(RULE_TOKEN.length), 'base64url').toString(),
  ) as TokenRule
}

async function open(settings: WatchedSettings): Promise<Hub> {
  const { tokens, ...options } = settings
  return createHub({
    ...(options as HubOptions),
    ...(tokens === undefined ? {} : { authenticate: byToken(tokens) }),
    onError: (error) => void told.push(inspect(error)),
  })
}

async function obey(order: WatchedOrder): Promise<WatchedNews> {
  switch (order.kind) {
    case 'open': {
      const hub = await open(order.settings)
      hubs.set(order.name, hub)
      return { order: order.order, kind: 'port', port: hub.port }
    }
    case 'stats':
      return { order: order.order, kind: 'stats', stats: hubNamed(order.name).stats() }
    case 'revoke': {
      const sessions = hubNamed(order.name).revoke(order.principal)
      return { order: order.order, kind: 'revoked', sessions }
    }
    case 'forget':
      loop.reset()
      return { order: order.order, kind: 'forgotten' }
    case 'look': {
      const look = {
        rssBytes: process.memoryUsage.rss(),
        loop: loop.figures(),
        mishaps: mishaps.seen,
        told: [...told, ...telemetry.entries.map((entry) => inspect(entry, { depth: 8 }))],
        authentications: authentications.most,
        polluted: Reflect.ownKeys(Object.prototype).length - PROTOTYPE_KEYS,
      }
      return { order: order.order, kind: 'look', look }
    }
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (message) => {
  const order = message as WatchedOrder
  obey(order).then(tell, (error: unknown) =>
    tell({ order: order.order, kind: 'failed', reason: String(error) }),
  )
})
// What is loaded and compiled at the start holds the loop too.
setTimeout(() => {
  loop.reset()
  tell({ order: 0, kind: 'loaded' })
}, 20)
