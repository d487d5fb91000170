/** Watches what a bus tells its transport of the events that it was given: the spy on the medium. */
import type { Sink, Transport } from '@bus/core'

/** The ids of the events that were settled, in the order of settling; twice where it was told twice. */
export interface SettleSpy {
  readonly transport: Transport
  readonly settled: readonly string[]
}

interface Delivery {
  readonly id: string
  /** The transport's own: one that needs no settling may give the same to every event. */
  readonly token: number
}

/** A transport that acts as the one given, and notes each `settle`. */
export function spyOnSettling(spied: Transport): SettleSpy {
  const settled: string[] = []
  const subscribe: Transport['subscribe'] = (patterns, sink, options) => {
    const deliveries: Delivery[] = []
    const noting: Sink = {
      deliver: (event, token) => {
        const own = deliveries.push({ id: event.id, token }) - 1
        return sink.deliver(event, own)
      },
    }
    const feed = spied.subscribe(patterns, noting, options)
    return withMember(feed, 'settle', (own: number) => {
      const delivery = deliveries[own]
      settled.push(delivery?.id ?? `unknown token ${own}`)
      if (delivery !== undefined) feed.settle(delivery.token)
    })
  }
  return { transport: withMember(spied, 'subscribe', subscribe), settled }
}

/** The same object but for one member. Methods run on the object itself, whose fields may be private. */
function withMember<T extends object, K extends keyof T>(target: T, name: K, member: T[K]): T {
  return new Proxy(target, {
    get(_target, key) {
      if (key === name) return member
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
