/** A link through the chaos proxy: the socket of a client and one to the target, connected to each other until a fault breaks them. */
import { connect, type Socket } from 'node:net'
import type { Clock, Random } from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'
import {
  type BlackholeOptions,
  type LinkDirection,
  DIRECTIONS,
  resolveBlackhole,
  type ResolvedConditions,
  resolveConditions,
  type BlackholeMode,
  waysOf,
  type NetworkConditions,
} from './conditions.ts'
import { Lane, type LanePorts } from './lane.ts'

/**
 * How a link is broken: by a TCP reset, or by a FIN to both ends, as if each had closed. Node sends a FIN right
 * before a reset, so an end that reads at that moment may see only the end.
 */
export type BreakMode = 'reset' | 'end'

/** Where and how a link is cut. */
export interface CutOptions {
  /** The direction whose bytes are counted. @default 'downstream' */
  readonly direction?: LinkDirection | undefined
  /** How it is broken then. @default 'reset' */
  readonly how?: BreakMode | undefined
}

/** What broke a link: `reset` or `end` was called, or the bytes of a `cut` had passed. */
export type LinkFault = BreakMode | 'cut'

/** One connection of a client, as a test sees it. */
export interface ChaosLink {
  /** Counts the links of a proxy from 0. */
  readonly index: number
  /** Neither broken nor ended. */
  readonly isOpen: boolean
  /** What broke it; `undefined` while it is open, and when one of its ends closed. */
  readonly fault: LinkFault | undefined
  /** Bytes passed on so far. */
  readonly passed: Readonly<Record<LinkDirection, number>>
  /** Both ends get a TCP reset, now. */
  reset(): void
  /** Both ends get a FIN, now; buffered bytes are lost. */
  end(): void
  /**
   * Passes so many more bytes, and then breaks the link, most likely in the middle of a frame.
   *
   * @throws `ConfigError` for a bad option
   */
  cutAfter(bytes: number, options?: CutOptions): void
  /** Nothing passes for so many milliseconds, in one direction or in both; it is delivered afterwards, as after a short failure of the network. */
  hole(ms: number, direction?: LinkDirection): void
  /**
   * Nothing passes any more, no bytes, no FIN and no reset, as with a cable that is pulled: until {@link heal}.
   *
   * @throws `ConfigError` for a bad option
   */
  blackhole(options?: BlackholeOptions): void
  /** Ends holes and blackholes, in one direction or in both: buffered bytes pass, and a link of which bytes were discarded is reset. */
  heal(direction?: LinkDirection): void
  /**
   * Changes how bytes travel on this link, in one direction or in both, from the next byte on; options that are not given get
   * their defaults.
   *
   * @throws `ConfigError` for a bad option
   */
  setConditions(conditions: NetworkConditions, direction?: LinkDirection): void
}

interface ProxyLinkPorts {
  readonly clock: Clock
  readonly random: Random
  bytes(link: ChaosLink, bytes: Buffer, direction: LinkDirection): void
  /** It is over, for any reason. Called once. */
  over(link: ChaosLink): void
  /** Both its sockets are closed. */
  gone(): void
}

/** Where links lead. */
interface Target {
  readonly port: number
  readonly host: string
}

const countShape = { bytes: check.integer({ min: 0 }) }

/** Connects a client's socket with one to the target. */
export class ProxyLink implements ChaosLink {
  readonly index: number
  readonly passed: Record<LinkDirection, number> = { upstream: 0, downstream: 0 }
  readonly #client: Socket
  readonly #server: Socket
  readonly #lanes: Readonly<Record<LinkDirection, Lane>>
  readonly #ports: ProxyLinkPorts
  #fault: LinkFault | undefined
  #isOpen = true
  #openSockets = 2
  #cutHow: BreakMode = 'reset'

  constructor(index: number, client: Socket, target: Target, ports: ProxyLinkPorts) {
    this.index = index
    this.#client = client
    this.#ports = ports
    // A FIN is passed on behind what is buffered, not answered at once.
    this.#server = connect({ ...target, allowHalfOpen: true })
    this.#lanes = {
      upstream: new Lane(client, this.#server, this.#lanePorts('upstream')),
      downstream: new Lane(this.#server, client, this.#lanePorts('downstream')),
    }
    for (const socket of [client, this.#server]) this.#watch(socket)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get fault(): LinkFault | undefined {
    return this.#fault
  }

  setConditions(conditions: NetworkConditions, direction?: LinkDirection): void {
    const resolved = resolveConditions(conditions)
    for (const way of waysOf(direction)) this.applyConditions(way, resolved)
  }

  /** The conditions of one direction, from the next byte that comes. */
  applyConditions(direction: LinkDirection, conditions: ResolvedConditions): void {
    this.#lanes[direction].conditions = conditions
  }

  reset(): void {
    this.#break('reset', 'reset')
  }

  end(): void {
    this.#break('end', 'end')
  }

  cutAfter(bytes: number, options: CutOptions = {}): void {
    checkOptions('', { bytes }, countShape)
    checkOptions<CutOptions>('', options, {
      direction: check.oneOf(DIRECTIONS),
      how: check.oneOf(['reset', 'end']),
    })
    if (!this.#isOpen) return
    this.#cutHow = options.how ?? 'reset'
    this.#lanes[options.direction ?? 'downstream'].cutAfter(bytes)
  }

  hole(ms: number, direction?: LinkDirection): void {
    checkOptions('', { ms }, { ms: check.durationMs() })
    for (const way of waysOf(direction)) this.#lanes[way].hole(ms)
  }

  blackhole(options: BlackholeOptions = {}): void {
    const { ways, bytes } = resolveBlackhole(options)
    for (const way of ways) this.swallow(way, bytes)
  }

  /** A blackhole in one direction. */
  swallow(direction: LinkDirection, bytes: BlackholeMode): void {
    this.#lanes[direction].blackhole(bytes)
  }

  heal(direction?: LinkDirection): void {
    for (const way of waysOf(direction)) this.#lanes[way].heal()
  }

  /** Destroys both sockets. */
  destroy(): void {
    this.#finish()
    this.#client.destroy()
    this.#server.destroy()
  }

  #lanePorts(direction: LinkDirection): LanePorts {
    return {
      clock: this.#ports.clock,
      random: this.#ports.random,
      passed: (bytes) => {
        this.passed[direction] += bytes.length
        this.#ports.bytes(this, bytes, direction)
      },
      cut: () => this.#break('cut', this.#cutHow),
      broken: (why) => {
        if (why === 'lost') this.#break('reset', 'reset')
        else this.#breakAfter(direction === 'upstream' ? this.#server : this.#client)
      },
    }
  }

  #watch(socket: Socket): void {
    // `close` follows, and is handled there.
    socket.on('error', () => {})
    socket.on('close', (hadError) => {
      // A clean end was passed on by the lane, behind what is still to be written.
      if (hadError || !socket.readableEnded) this.#broke(socket)
      this.#openSockets--
      if (this.#openSockets > 0) return
      this.#finish()
      this.#ports.gone()
    })
  }

  /** One end broke: the other one is notified behind the bytes that are under way, and what it sends meanwhile is discarded. */
  #broke(socket: Socket): void {
    if (!this.#isOpen) return
    const [from, to] =
      socket === this.#client
        ? (['upstream', 'downstream'] as const)
        : (['downstream', 'upstream'] as const)
    this.#lanes[to].stop()
    this.#lanes[from].breakOff()
  }

  /** One end broke: the other gets the same. */
  #breakAfter(other: Socket): void {
    if (!this.#isOpen) return
    this.#finish()
    if (!other.destroyed) resetSocket(other)
  }

  #break(fault: LinkFault, how: BreakMode): void {
    if (!this.#isOpen) return
    this.#fault = fault
    this.#finish()
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') resetSocket(socket)
      else socket.end()
    }
  }

  #finish(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const direction of DIRECTIONS) this.#lanes[direction].stop()
    this.#ports.over(this)
  }
}

/**
 * At once. A socket whose end is on its way to the system cannot be reset, and Node would forget its handle open; the other side
 * has got that FIN, so it is closed.
 */
function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (isEnding) socket.destroy()
  else socket.resetAndDestroy()
}
