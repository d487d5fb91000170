/** An actor: clients in a process of its own that can be frozen, killed, or shut down. */
import { backoff, outcomeOf, type Bus, type DrainReport, type Outcome } from '@bus/core'
import type { HeartbeatSettings } from '@bus/websocket'
import { newBus } from '../load/client.ts'

export interface ActorOrder {
  readonly url: string
  /** Buses. @default 1 */
  readonly clients?: number
  /** @default that of the transport */
  readonly heartbeat?: false | HeartbeatSettings
}

/** What became of its publishes. */
export type Fates = Readonly<Record<'confirmed' | 'pending' | 'again' | Outcome, number>>

/** What was reported to its buses, together. */
export interface Notices {
  /** Links after the first of each. */
  readonly returns: number
  readonly heartbeatTimeouts: number
  readonly gaps: number
  /** Ends of links, by close code. */
  readonly closes: Readonly<Record<number, number>>
  /** Events that were given up, by reason. */
  readonly givenUp: Readonly<Record<string, number>>
}

const NO_FATES: Fates = {
  confirmed: 0,
  pending: 0,
  again: 0,
  'not-sent': 0,
  rejected: 0,
  unknown: 0,
}

/** Lives as long as its process. */
export class Actor {
  readonly #buses: readonly Bus[]
  readonly #fates = { ...NO_FATES }
  readonly #handled: number[] = []
  readonly #closes: Record<number, number> = {}
  readonly #givenUp: Record<string, number> = {}
  #returns = 0
  #heartbeatTimeouts = 0
  #gaps = 0
  #published = 0

  constructor({ url, clients = 1, heartbeat }: ActorOrder) {
    this.#buses = Array.from({ length: clients }, (_, i) =>
      newBus(url, `actor-${i}`, Math.random, {
        reconnect: { backoff: backoff.exponential({ initialMs: 20, maxMs: 100 }) },
        ...(heartbeat === undefined ? {} : { heartbeat }),
      }),
    )
    for (const bus of this.#buses) this.#listen(bus)
  }

  async connect(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.connect()))
  }

  /** Begins to dial, whatever comes of it. */
  dial(): void {
    for (const bus of this.#buses) bus.connect().catch(() => {})
  }

  /** @param hangAt - the number of the event whose handler never ends */
  async subscribe({ hangAt }: { readonly hangAt?: number } = {}): Promise<void> {
    await Promise.all(
      this.#buses.map((bus) =>
        bus.subscribe('act', ({ payload }) => {
          this.#handled.push(payload as number)
          return payload === hangAt ? new Promise<void>(() => {}) : undefined
        }),
      ),
    )
  }

  /** Publishes so many more, numbered through, without waiting. */
  publish(count: number): void {
    this.#fates.pending += count
    for (let i = 0; i < count; i++) {
      let isSettled = false
      const settle = (fate: keyof Fates): void => {
        if (isSettled) this.#fates.again++
        else {
          this.#fates.pending--
          this.#fates[fate]++
        }
        isSettled = true
      }
      this.#first.publish('act', this.#published++).then(
        ({ status }) => settle(status === 'confirmed' ? 'confirmed' : 'unknown'),
        (error: unknown) => settle(outcomeOf(error)),
      )
    }
  }

  /** Publishes without anybody who would hear of a failure. */
  publishUnheard(): void {
    void this.#first.publish('act', this.#published++)
  }

  emit(): boolean {
    return this.#first.emit('act', this.#published++)
  }

  fates(): Fates {
    return { ...this.#fates }
  }

  /** The numbers that its handlers got, in order. */
  handled(): readonly number[] {
    return this.#handled
  }

  notices(): Notices {
    return {
      returns: this.#returns,
      heartbeatTimeouts: this.#heartbeatTimeouts,
      gaps: this.#gaps,
      closes: { ...this.#closes },
      givenUp: { ...this.#givenUp },
    }
  }

  /** Drains on the signal to end. */
  async drainOnSigterm(): Promise<DrainReport> {
    await new Promise((resolve) => process.once('SIGTERM', resolve))
    return this.drain({})
  }

  drain(options: { readonly timeoutMs?: number }): Promise<DrainReport> {
    return this.#first.drain(options)
  }

  async close(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.close()))
  }

  get #first(): Bus {
    const [bus] = this.#buses
    if (bus === undefined) throw new Error('There is no client')
    return bus
  }

  #listen(bus: Bus): void {
    bus.on('open', ({ reconnected }) => (this.#returns += reconnected ? 1 : 0))
    bus.on('heartbeat-timeout', () => this.#heartbeatTimeouts++)
    bus.on('gap', () => this.#gaps++)
    bus.on('close', ({ code }) => (this.#closes[code] = (this.#closes[code] ?? 0) + 1))
    bus.on('undeliverable', ({ reason }) => {
      this.#givenUp[reason] = (this.#givenUp[reason] ?? 0) + 1
    })
  }
}
