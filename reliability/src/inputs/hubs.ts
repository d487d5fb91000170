/** The hubs that the table of bad inputs is tried on. */
import type { WatchedSettings } from '../hub/watched-orders.ts'
import { CANARY } from './build.ts'

/** Tokens of the guarded hub. Each holds the canary, so that none may show anywhere. */
export const TOKEN: Readonly<
  Record<
    | 'alice'
    | 'bob'
    | 'shop'
    | 'lesser'
    | 'expired'
    | 'throwing'
    | 'hanging'
    | 'nonsense'
    | 'stranger',
    string
  >
> = Object.freeze({
  alice: `alice-${CANARY}`,
  bob: `bob-${CANARY}`,
  shop: `shop-${CANARY}`,
  lesser: `lesser-${CANARY}`,
  expired: `expired-${CANARY}`,
  throwing: `throwing-${CANARY}`,
  hanging: `hanging-${CANARY}`,
  nonsense: `nonsense-${CANARY}`,
  stranger: `stranger-${CANARY}`,
})

const GUARDED = Object.freeze<WatchedSettings>({
  origins: ['https://shop.example', 'http://localhost:8080'],
  hosts: ['127.0.0.1', 'hub.example', 'hub.example:8080'],
  tokens: {
    [TOKEN.alice]: { id: 'alice' },
    [TOKEN.bob]: { id: 'bob' },
    [TOKEN.shop]: {
      id: 'shop',
      grants: { publish: ['shop.*'], subscribe: ['shop.*', 'user.>'] },
    },
    [TOKEN.lesser]: { id: 'shop', grants: { publish: [], subscribe: [] } },
    [TOKEN.expired]: { id: 'alice', expiresInMs: -120_000 },
    [TOKEN.throwing]: { id: 'x', fails: 'throws' },
    [TOKEN.hanging]: { id: 'x', fails: 'hangs' },
    [TOKEN.nonsense]: { id: 'x', fails: 'nonsense' },
  },
})

/** Each hub listens on a port of its own, all in one process. */
export const HUBS: Readonly<Record<string, WatchedSettings>> = Object.freeze({
  open: { allowAnonymous: true },
  guarded: GUARDED,
  // As guarded, for tokens whose lookup is too slow.
  hanging: { ...GUARDED, helloMs: 300 },
  pathed: { allowAnonymous: true, path: '/bus' },
  small: {
    allowAnonymous: true,
    maxMessageBytes: 4_096,
    limits: {
      maxEventBytes: 1_024,
      subscriptionsPerConnection: 4,
      window: { events: 8, bytes: 4_096 },
    },
  },
  // Nothing is accepted that a reader has not settled: a tiny log, and a subscriber that never settles.
  held: {
    allowAnonymous: true,
    holdMs: 60_000,
    log: { maxEvents: 2 },
    limits: { window: { events: 4, bytes: 2_048 } },
  },
  rated: { allowAnonymous: true, limits: { publishPerSecond: 3 } },
  crowded: { allowAnonymous: true, limits: { connections: 6 } },
  lonely: { allowAnonymous: true, limits: { connectionsPerIp: 6 } },
  // A flood is not read to its end, so only this ends it.
  flooded: { allowAnonymous: true, closeMs: 100 },
  hasty: { allowAnonymous: true, helloMs: 100 },
  shared: { allowAnonymous: true, limits: { subscriptions: 4 } },
  few: { allowAnonymous: true, limits: { sessions: 5 } },
})
