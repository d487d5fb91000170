/** The chaos proxy: a TCP relay that breaks, delays and slices what passes, on request and repeatably. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { ConnectionError } from '@bus/core'
import {
  type BlackholeOptions,
  type LinkDirection,
  DIRECTIONS,
  UNIMPAIRED,
  resolveBlackhole,
  resolveConditions,
  type BlackholeMode,
  waysOf,
  type NetworkConditions,
} from './conditions.ts'
import { type ChaosLink, type CutOptions, type LinkFault, ProxyLink } from './link.ts'
import {
  type ChaosProxyOptions,
  type ResolvedChaosProxyOptions,
  resolveOptions,
} from './options.ts'
import { seededRandom } from './seeded-random.ts'

/** What a chaos proxy has done. */
export interface ChaosStats {
  /** Links that were made. */
  readonly links: number
  /** Links that it broke, by fault. */
  readonly broken: Readonly<Record<LinkFault, number>>
  /** Bytes passed on, over all links. */
  readonly passed: Readonly<Record<LinkDirection, number>>
}

/** A running proxy. Its faults concern the links that are open now; network conditions and a blackhole also those to come. */
export interface ChaosProxy extends AsyncDisposable {
  readonly host: string
  /** Connect here instead of to the target. */
  readonly port: number
  /** Pass it as the option `seed` to repeat the random choices. */
  readonly seed: number
  /** The open links, the oldest first. */
  readonly links: readonly ChaosLink[]
  stats(): ChaosStats
  /**
   * Changes how bytes travel, in one direction or in both; options that are not given get their defaults.
   *
   * @throws `ConfigError` for a bad option
   */
  setConditions(conditions: NetworkConditions, direction?: LinkDirection): void
  /** Breaks every link with a TCP reset. @returns how many */
  reset(): number
  /** Breaks every link with a FIN to both ends. @returns how many */
  end(): number
  /** Lets so many more bytes pass on every link, and then breaks it. @returns how many links */
  cutAfter(bytes: number, options?: CutOptions): number
  /** Nothing passes for so many milliseconds; it is delivered afterwards. @returns on how many links */
  hole(ms: number, direction?: LinkDirection): number
  /**
   * Nothing passes on any link, nor on those to come, until {@link heal}: TCP connects, and then nothing arrives.
   *
   * @returns on how many links
   * @throws `ConfigError` for a bad option
   */
  blackhole(options?: BlackholeOptions): number
  /** New connections are accepted but get no answer and do not reach the target, until {@link heal} resets them. */
  hang(): void
  /** Ends holes and blackholes, in one direction or in both; without a direction also {@link hang}. @returns on how many links */
  heal(direction?: LinkDirection): number
  /** Breaks every link with a TCP reset and refuses new ones until {@link up}. */
  down(): Promise<void>
  /** Listens again, on the same port. */
  up(): Promise<void>
  /** Stops listening and closes every link. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a proxy between clients and a TCP server.
 *
 * @example
 * ```ts
 * import { startChaosProxy } from '@bus/testing/chaos'
 *
 * await using proxy = await startChaosProxy({ targetPort: 8080, seed: 7 })
 * proxy.setConditions({ delayMs: 20, jitterMs: 10, sliceBytes: 3 })
 * proxy.cutAfter(1_000, { direction: 'upstream', how: 'end' })
 * console.log(`connect to port ${proxy.port}; repeat with seed ${proxy.seed}`)
 * ```
 * @throws `ConfigError` for a bad option; `ConnectionError` when the port cannot be listened on
 */
export async function startChaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const proxy = new RunningProxy(resolveOptions(options))
  await proxy.up()
  return proxy
}

class RunningProxy implements ChaosProxy {
  readonly #options: ResolvedChaosProxyOptions
  readonly #links = new Set<ProxyLink>()
  /** Those with a socket that is not closed yet, broken or not. */
  readonly #remaining = new Set<ProxyLink>()
  readonly #hung = new HungSockets()
  readonly #conditions = { upstream: UNIMPAIRED, downstream: UNIMPAIRED }
  readonly #blackholes = new Map<LinkDirection, BlackholeMode>()
  readonly #broken: Record<LinkFault, number> = { reset: 0, end: 0, cut: 0 }
  readonly #passed: Record<LinkDirection, number> = { upstream: 0, downstream: 0 }
  #hangs = false
  #made = 0
  #port: number
  #server: Server | undefined

  constructor(options: ResolvedChaosProxyOptions) {
    this.#options = options
    this.#port = options.port
  }

  get host(): string {
    return this.#options.host
  }

  get port(): number {
    return this.#port
  }

  get seed(): number {
    return this.#options.seed
  }

  get links(): readonly ChaosLink[] {
    return [...this.#links]
  }

  stats(): ChaosStats {
    return { links: this.#made, broken: { ...this.#broken }, passed: { ...this.#passed } }
  }

  setConditions(conditions: NetworkConditions, direction?: LinkDirection): void {
    const resolved = resolveConditions(conditions)
    for (const way of waysOf(direction)) {
      this.#conditions[way] = resolved
      for (const link of this.#links) link.applyConditions(way, resolved)
    }
  }

  reset(): number {
    return this.#each((link) => link.reset())
  }

  end(): number {
    return this.#each((link) => link.end())
  }

  cutAfter(bytes: number, options?: CutOptions): number {
    return this.#each((link) => link.cutAfter(bytes, options))
  }

  hole(ms: number, direction?: LinkDirection): number {
    return this.#each((link) => link.hole(ms, direction))
  }

  blackhole(options: BlackholeOptions = {}): number {
    const { ways, bytes } = resolveBlackhole(options)
    for (const way of ways) this.#blackholes.set(way, bytes)
    return this.#each((link) => link.blackhole(options))
  }

  hang(): void {
    this.#hangs = true
  }

  heal(direction?: LinkDirection): number {
    for (const way of waysOf(direction)) this.#blackholes.delete(way)
    if (direction === undefined) {
      this.#hangs = false
      this.#hung.reset()
    }
    return this.#each((link) => link.heal(direction))
  }

  async down(): Promise<void> {
    this.reset()
    await this.close()
  }

  async up(): Promise<void> {
    if (this.#server !== undefined) return
    const { host } = this.#options
    const server = createServer({ allowHalfOpen: true }, (client) => {
      if (this.#hangs) this.#hung.add(client)
      else this.#join(client)
    })
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: Error): void => {
        this.#server = undefined
        reject(new ConnectionError(`Could not listen on ${host}:${this.#port}`, { cause }))
      }
      server.once('error', fail)
      server.listen(this.#port, host, () => {
        server.removeListener('error', fail)
        this.#port = (server.address() as AddressInfo).port
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const link of this.#remaining) link.destroy()
    this.#hung.reset()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #join(client: Socket): void {
    const { targetPort, targetHost, clock, seed, onBytes, onLinkOver } = this.#options
    const index = this.#made++
    const link = new ProxyLink(
      index,
      client,
      { port: targetPort, host: targetHost },
      {
        clock,
        // A stream of choices for each link, so that one does not depend on how busy another is.
        random: seededRandom(seed + Math.imul(index, 0x9e3779b1)),
        bytes: (on, bytes, direction) => {
          this.#passed[direction] += bytes.length
          onBytes(on, bytes, direction)
        },
        over: () => {
          this.#links.delete(link)
          if (link.fault !== undefined) this.#broken[link.fault]++
          onLinkOver(link)
        },
        gone: () => this.#remaining.delete(link),
      },
    )
    this.#links.add(link)
    this.#remaining.add(link)
    for (const way of DIRECTIONS) {
      link.applyConditions(way, this.#conditions[way])
      const bytes = this.#blackholes.get(way)
      if (bytes !== undefined) link.swallow(way, bytes)
    }
  }

  #each(act: (link: ProxyLink) => void): number {
    const links = [...this.#links]
    for (const link of links) act(link)
    return links.length
  }
}

/** Nothing is read from them, so what a client sends stays in the buffers of the system, which are bounded. */
class HungSockets {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}
