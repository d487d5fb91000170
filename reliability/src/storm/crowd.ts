/** A crowd: thousands of clients in one process, each with a link, a session and tally of its own. */
import { backoff, createBus, type Bus, type Event } from '@bus/core'
import { webSocketTransport } from '@bus/websocket'
import { tokenOf } from '../hub/tokens.ts'
import { isIntact } from '../load/payload.ts'
import { END_OF_LOAD } from '../load/subscriber.ts'
import { add, NO_VERDICT, Tally, type Verdict } from './tally.ts'
import { expectedBy, patternOfClient, SHARED, type Traffic } from './traffic.ts'

/** Clients that connect at the same time at the beginning, so that the beginning is no storm. */
const AT_ONCE = 64

export interface CrowdOrder {
  readonly url: string
  readonly secret: string
  readonly seed: number
  readonly traffic: Traffic
  /** The first client, and the one behind the last. */
  readonly from: number
  readonly to: number
  /** Milliseconds over which they spread their return. */
  readonly spreadMs: number
}

/** The crowd at one moment. */
export interface CrowdState {
  readonly ready: number
  readonly handled: number
  /** Clients that heard that nothing more comes. */
  readonly over: number
  /** Links that became ready after the first of each. */
  readonly returns: number
}

/** Lives as long as its process. */
export class Crowd {
  readonly #order: CrowdOrder
  readonly #buses: Bus[] = []
  readonly #tallies: Tally[] = []
  #returns = 0

  constructor(order: CrowdOrder) {
    this.#order = order
  }

  /** Everybody connects and subscribes. @returns when all subscriptions are live */
  async join(): Promise<void> {
    const { from, to } = this.#order
    for (let first = from; first < to; first += AT_ONCE) {
      const clients = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, i) => first + i)
      await Promise.all(clients.map((client) => this.#add(client)))
    }
  }

  state(): CrowdState {
    return {
      ready: this.#buses.filter(({ status }) => status.state === 'ready').length,
      handled: this.#tallies.reduce((sum, { count }) => sum + count, 0),
      over: this.#tallies.filter(({ isOver }) => isOver).length,
      returns: this.#returns,
    }
  }

  verdict(): Verdict {
    const { traffic, from } = this.#order
    return this.#tallies
      .map((tally, i) => tally.compare(expectedBy(traffic, from + i)))
      .reduce(add, NO_VERDICT)
  }

  async leave(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()))
  }

  async #add(client: number): Promise<void> {
    const { secret, seed, traffic } = this.#order
    const tally = new Tally(traffic.publishers)
    const bus = this.#newBus(tokenOf(secret, `client-${client}`))
    this.#buses.push(bus)
    // In the order of the clients: all of a batch come here before the first of them waits.
    this.#tallies.push(tally)
    bus.on('gap', () => tally.gaps++)
    bus.on('open', ({ reconnected }) => (this.#returns += reconnected ? 1 : 0))
    await bus.subscribe(
      [patternOfClient(client), SHARED, END_OF_LOAD],
      ({ type, payload }: Event) => {
        if (type === END_OF_LOAD) tally.isOver = true
        else if (isIntact(seed, payload)) tally.handle(payload.p, payload.n)
        else tally.impossible++
      },
    )
  }

  #newBus(token: string): Bus {
    const { url, spreadMs } = this.#order
    const transport = webSocketTransport({
      url,
      headers: { authorization: `Bearer ${token}` },
      reconnect: { backoff: backoff.exponential({ initialMs: spreadMs, jitter: 'full' }) },
    })
    return createBus({ transport, deadLetters: false })
  }
}
