/** The traffic of a storm: which event goes to whom, so that every client can say what it should have got. */

/** What the traffic follows from. */
export interface Traffic {
  readonly clients: number
  readonly publishers: number
  /** Events of each publisher. */
  readonly events: number
  /** One event in so many goes to every client. */
  readonly sharedEvery: number
}

/** The pattern that everybody has besides a type of its own. */
export const SHARED = 'storm.everybody'

/** The type that only one client subscribes to. */
function typeOfClient(client: number): string {
  return `storm.client-${client}.order`
}

/** How a client asks for its own type: every other one with a wildcard, since those cannot be looked up by name. */
export function patternOfClient(client: number): string {
  return client % 2 === 0 ? typeOfClient(client) : `storm.client-${client}.*`
}

/** The type of event `n` of publisher `p`. */
export function typeOf({ clients, sharedEvery }: Traffic, p: number, n: number): string {
  return n % sharedEvery === 0 ? SHARED : typeOfClient((n + p) % clients)
}

/** What a client should get of each publisher, in order. */
export function expectedBy(traffic: Traffic, client: number): number[][] {
  const { clients, publishers, events, sharedEvery } = traffic
  return Array.from({ length: publishers }, (_, p) => {
    const numbers: number[] = []
    for (let n = 0; n < events; n += sharedEvery) numbers.push(n)
    // The shared ones are not its own, though their number is.
    const first = (((client - p) % clients) + clients) % clients
    for (let n = first; n < events; n += clients) if (n % sharedEvery !== 0) numbers.push(n)
    return numbers.toSorted((a, b) => a - b)
  })
}
