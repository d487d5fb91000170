/** A link through the chaos proxy: two sockets tied together, which can be torn apart. */
import { connect, type Socket } from 'node:net'
import type { Clock, Random } from '@bus/core'
import { checkOptions, durationMs, integer, oneOf } from '@bus/core/kit'
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
 * How a link is torn: a TCP reset, or a FIN to both ends, as if each had hung up on the other. Node sends a FIN right
 * before a reset, so an end that reads at that moment may see only the end.
 */
export type BreakMode = 'reset' | 'end'

/** Where and how a link is cut. */
export interface CutOptions {
  /** The direction whose bytes are counted. @default 'downstream' */
  readonly direction?: LinkDirection
  /** How it is torn then. @default 'reset' */
  readonly how?: BreakMode
}

/** What tore a link: called for, or a cut that was due; `undefined` when an end hung up. */
export type LinkFault = BreakMode | 'cut'

/** One connection of a client, as a test sees it. */
export interface ChaosLink {
  /** Counts the links of a proxy from 0. */
  readonly index: number
  /** Neither torn nor ended. */
  readonly isOpen: boolean
  /** What tore it; `undefined` while it is open, and when one of its ends hung up. */
  readonly fault: LinkFault | undefined
  /** Bytes passed on so far. */
  readonly passed: Readonly<Record<LinkDirection, number>>
  /** Both ends get a TCP reset, now. */
  reset(): void
  /** Both ends get a FIN, now; what waited is lost. */
  end(): void
  /**
   * Passes so many bytes more on and tears the link then, most likely in the middle of a frame.
   *
   * @throws `ConfigError` for a bad option
   */
  cutAfter(bytes: number, options?: CutOptions): void
  /** Nothing passes for so many milliseconds, one way or both; it comes later then, as after a short failure of the network. */
  hole(ms: number, direction?: LinkDirection): void
  /**
   * Nothing passes any more, neither bytes nor an end nor a reset, and nobody is told, as with a cable that is pulled: until
   * {@link mend}.
   *
   * @throws `ConfigError` for a bad option
   */
  blackhole(options?: BlackholeOptions): void
  /** Ends holes and blackholes, one way or both: what they held passes, and a link of which they discarded something is reset. */
  mend(direction?: LinkDirection): void
  /**
   * Changes how bytes travel on this link, in one direction or in both, from the next byte that comes; what is not given goes
   * back to its default.
   *
   * @throws `ConfigError` for a bad option
   */
  setConditions(conditions: NetworkConditions, direction?: LinkDirection): void
}

interface LinkPorts {
  readonly clock: Clock
  readonly random: Random
  bytes(link: ChaosLink, bytes: Buffer, direction: LinkDirection): void
  /** It is over, for whatever reason. Told once. */
  over(link: ChaosLink): void
  /** Both its sockets are closed. */
  gone(): void
}

/** Where links lead. */
interface Target {
  readonly port: number
  readonly host: string
}

const countShape = { bytes: integer({ min: 0 }) }

/** Ties a client's socket to one of the target. */
export class Link implements ChaosLink {
  readonly index: number
  readonly passed: Record<LinkDirection, number> = { upstream: 0, downstream: 0 }
  readonly #client: Socket
  readonly #server: Socket
  readonly #lanes: Readonly<Record<LinkDirection, Lane>>
  readonly #ports: LinkPorts
  #fault: LinkFault | undefined
  #isOpen = true
  #openSockets = 2
  #cutHow: BreakMode = 'reset'

  constructor(index: number, client: Socket, target: Target, ports: LinkPorts) {
    this.index = index
    this.#client = client
    this.#ports = ports
    // An end is passed on behind what still waits, not answered at once.
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
    this.#tear('reset', 'reset')
  }

  end(): void {
    this.#tear('end', 'end')
  }

  cutAfter(bytes: number, options: CutOptions = {}): void {
    checkOptions('', { bytes }, countShape)
    checkOptions<CutOptions>('', options, {
      direction: oneOf(DIRECTIONS),
      how: oneOf(['reset', 'end']),
    })
    if (!this.#isOpen) return
    this.#cutHow = options.how ?? 'reset'
    this.#lanes[options.direction ?? 'downstream'].cutAfter(bytes)
  }

  hole(ms: number, direction?: LinkDirection): void {
    checkOptions('', { ms }, { ms: durationMs() })
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

  mend(direction?: LinkDirection): void {
    for (const way of waysOf(direction)) this.#lanes[way].mend()
  }

  /** Lets go of both sockets, whatever they are doing. */
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
      cut: () => this.#tear('cut', this.#cutHow),
      broken: (why) => {
        if (why === 'lost') this.#tear('reset', 'reset')
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

  /** One end broke: the other learns it on the way that its bytes take, and what it says meanwhile reaches nobody. */
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

  #tear(fault: LinkFault, how: BreakMode): void {
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
 * has been told of that end, so it is closed.
 */
function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (isEnding) socket.destroy()
  else socket.resetAndDestroy()
}
