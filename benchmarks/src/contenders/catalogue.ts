/** The catalogue: which contenders there are, and where each is loaded from. */
import type { Contender } from './contender.ts'

/** What is known about a contender without loading its library. */
export interface Entry {
  readonly name: ContenderName
  readonly side: 'ours' | 'peer'
  readonly guarantee: 'at-most-once' | 'at-least-once'
  /** What the promise rests on, for the report. */
  readonly note: string
  /** A program that must be installed. */
  readonly needs?: string
  /** Shares its broker and its fan-out with another entry, which stands for both there. */
  readonly sameBrokerAs?: ContenderName
  load(): Promise<Contender>
}

type ContenderName =
  | 'bus-plain'
  | 'bus-amo'
  | 'bus'
  | 'ws'
  | 'socket.io'
  | 'socket.io-ack'
  | 'nats'
  | 'jetstream'
  | 'mqtt-0'
  | 'mqtt-1'
  | 'redis'

/**
 * Every contender, ours first. A new one is a file that implements `Contender` and an entry here; of ours, the last in
 * a class is the one that the others are compared with.
 */
export const CATALOGUE: readonly Entry[] = Object.freeze<Entry[]>([
  {
    name: 'bus-plain',
    side: 'ours',
    guarantee: 'at-most-once',
    note: 'emit over plain JSON, one frame per event',
    load: async () => (await import('./bus-plain.ts')).busPlain,
  },
  {
    name: 'bus-amo',
    side: 'ours',
    guarantee: 'at-most-once',
    note: 'emit at most once over bus.v1',
    sameBrokerAs: 'bus',
    load: async () => (await import('./bus-v1.ts')).busAtMostOnce,
  },
  {
    name: 'bus',
    side: 'ours',
    guarantee: 'at-least-once',
    note: 'publish over bus.v1, confirmed by the hub, acknowledged by the subscriber',
    load: async () => (await import('./bus-v1.ts')).bus,
  },
  {
    name: 'ws',
    side: 'peer',
    guarantee: 'at-most-once',
    note: 'bare relay, one frame per event',
    load: async () => (await import('./bare-ws.ts')).bareWs,
  },
  {
    name: 'socket.io',
    side: 'peer',
    guarantee: 'at-most-once',
    note: 'emit, WebSocket transport only',
    load: async () => (await import('./socket-io.ts')).socketIo,
  },
  {
    name: 'nats',
    side: 'peer',
    guarantee: 'at-most-once',
    note: 'nats.js, core publish',
    needs: 'nats-server',
    load: async () => (await import('./nats-core.ts')).natsCore,
  },
  {
    name: 'mqtt-0',
    side: 'peer',
    guarantee: 'at-most-once',
    note: 'MQTT.js and aedes, QoS 0',
    load: async () => (await import('./mqtt.ts')).mqttQos0,
  },
  {
    name: 'redis',
    side: 'peer',
    guarantee: 'at-most-once',
    note: 'node-redis, PUBLISH and SUBSCRIBE',
    needs: 'redis-server',
    load: async () => (await import('./redis.ts')).redisPubSub,
  },
  {
    name: 'socket.io-ack',
    side: 'peer',
    guarantee: 'at-least-once',
    note: 'emitWithAck, confirmed once relayed; the subscriber does not confirm',
    sameBrokerAs: 'socket.io',
    load: async () => (await import('./socket-io.ts')).socketIoAck,
  },
  {
    name: 'jetstream',
    side: 'peer',
    guarantee: 'at-least-once',
    note: 'nats.js, stream in memory, PubAck for each, each message acknowledged',
    needs: 'nats-server',
    load: async () => (await import('./jetstream.ts')).jetStream,
  },
  {
    name: 'mqtt-1',
    side: 'peer',
    guarantee: 'at-least-once',
    note: 'MQTT.js and aedes, QoS 1 on both sides',
    sameBrokerAs: 'mqtt-0',
    load: async () => (await import('./mqtt.ts')).mqttQos1,
  },
])

/** Those with subscribers that only count, which only our own acknowledge. */
export function withCrowds(entries: readonly Entry[]): Entry[] {
  return entries.filter(
    ({ side, guarantee, sameBrokerAs }) =>
      sameBrokerAs === undefined && (side === 'ours' || guarantee === 'at-most-once'),
  )
}

/** The one of ours that others are compared with. */
export function referenceAmong(entries: readonly Entry[]): string | undefined {
  return entries.findLast(({ side }) => side === 'ours')?.name
}

/** Loads a contender with its library. */
export async function loadContender(name: string): Promise<Contender> {
  const entry = CATALOGUE.find((one) => one.name === name)
  if (entry === undefined) throw new RangeError(`There is no contender ${name}`)
  return await entry.load()
}
