/** Mutants: transports that break one promise, made of ones that keep it. */
import type { Feed, FeedOptions, Sink, Transport } from '@bus/core'
import type { MediumFaults, Medium } from '@bus/testing/conformance'

/** What a mutant does otherwise; it may ask the sound one, and all that there are on its medium. */
export type Mutation = (sound: Transport, all: readonly Transport[]) => Partial<Transport>

/** The medium, with every transport mutated. */
export async function mutated(
  makeMedium: () => Promise<Medium>,
  mutation: Mutation,
): Promise<Medium> {
  const medium = await makeMedium()
  const sound = new Map<unknown, Transport>()
  const all: Transport[] = []
  return {
    transport(settings) {
      const inner = medium.transport(settings)
      const mutant = mutate(inner, mutation(inner, all))
      sound.set(mutant, inner)
      all.push(inner)
      return mutant
    },
    faults: faultsOfMutants(medium.faults ?? {}, sound),
    stop: () => medium.stop(),
  }
}

/** A mutation of what a subscription is delivered: the sink and the feed that stand between. */
export function mutatedFeed(
  change: (
    sink: Sink,
    sound: Transport,
  ) => { readonly sink?: Partial<Sink>; readonly feed?: (feed: Feed) => Partial<Feed> },
): Mutation {
  return (sound) => ({
    subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
      const changed = change(sink, sound)
      const feed = sound.subscribe(
        patterns,
        { deliver: (event, token) => sink.deliver(event, token), ...changed.sink },
        options,
      )
      return {
        live: feed.live,
        ready: () => feed.ready(),
        settle: (token) => feed.settle(token),
        unsubscribe: () => feed.unsubscribe(),
        ...changed.feed?.(feed),
      }
    },
  })
}

function mutate(inner: Transport, changes: Partial<Transport>): Transport {
  const mutant: Transport = {
    name: inner.name,
    get capabilities() {
      return inner.capabilities
    },
    get status() {
      return inner.status
    },
    connect: (options) => inner.connect(options),
    publish: (event, options) => inner.publish(event, options),
    emit: (event, options) => inner.emit(event, options),
    subscribe: (patterns, sink, options) => inner.subscribe(patterns, sink, options),
    backpressureStats: () => inner.backpressureStats(),
    health: (options) => inner.health(options),
    drain: (options) => inner.drain(options),
    close: (options) => inner.close(options),
    on: (name, listener, options) => inner.on(name, listener, options),
    [Symbol.asyncDispose]: () => inner.close(),
  }
  return Object.defineProperties(mutant, Object.getOwnPropertyDescriptors(changes))
}

/** A fault concerns the sound transport inside. */
function faultsOfMutants(
  faults: MediumFaults,
  sound: ReadonlyMap<unknown, Transport>,
): MediumFaults {
  const entries = Object.entries(faults).map(([name, fault]) => {
    const run = fault as (...given: unknown[]) => unknown
    return [name, (...given: unknown[]) => run(...given.map((one) => sound.get(one) ?? one))]
  })
  return Object.fromEntries(entries) as MediumFaults
}
