/** A client that a hostile server talks to: as an application has it, only quicker to come back. */
import { backoff, createBus, type Bus } from '@bus/core'
import { busV1, webSocketTransport } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import type { FuzzTally } from './tally.ts'
import { FENCE, HostileServer, type HostileLink } from './hostile-server.ts'
import { serverInput, type ServerInput, type ServerWire } from './server-input.ts'

/** Milliseconds until a client that does not come back is taken for one that never will. */
const BACK_MS = 10_000
/** Milliseconds until a client must have taken a whole message. */
const ANSWER_MS = 10_000
/** Milliseconds after which a client that does not answer waits for the rest of a frame. */
const OPEN_MS = 20
/** Milliseconds in which an honest hub must have served it. */
const SERVE_MS = 10_000

/** The bytes of inputs, as they are written one behind the other. */
type Writes = (inputs: readonly ServerInput[]) => Buffer[]

const asOne: Writes = (inputs) => [Buffer.concat(inputs.flatMap(({ bytes }) => [bytes, FENCE]))]

/** Cut in the middle of each input. */
function inPieces(inputs: readonly ServerInput[]): Buffer[] {
  const writes: Buffer[] = []
  let rest: Buffer = Buffer.alloc(0)
  for (const { bytes, cut } of inputs) {
    writes.push(Buffer.concat([rest, bytes.subarray(0, cut)]))
    rest = Buffer.concat([bytes.subarray(cut), FENCE])
  }
  return [...writes, rest]
}

/** Ends with its run. */
export class FuzzedClient implements AsyncDisposable {
  readonly #server: HostileServer
  readonly #wire: ServerWire
  readonly #tally: FuzzTally
  #bus: Bus
  #isClosed = false
  /** Events that reached the handler. */
  handled = 0
  /** Clients that ended for good, as some close codes tell them to, and were followed by another: how often, and why. */
  readonly replaced: Record<string, number> = {}
  #probesHandled = 0

  private constructor(server: HostileServer, wire: ServerWire, tally: FuzzTally) {
    this.#server = server
    this.#wire = wire
    this.#tally = tally
    this.#bus = this.#newBus()
  }

  static async start(wire: ServerWire, tally: FuzzTally): Promise<FuzzedClient> {
    return new FuzzedClient(await HostileServer.start(wire), wire, tally)
  }

  get links(): number {
    return this.#server.links
  }

  /** Sends these inputs, each whole and then in two pieces. */
  async try(seed: number, indices: readonly number[]): Promise<void> {
    const inputs = indices.map((index) => serverInput(seed, this.#wire, index))
    try {
      await this.#deliver(inputs, asOne)
      await this.#deliver(inputs, inPieces)
    } catch (error) {
      const [first] = inputs
      this.#tally.failed(indices[0] ?? 0, error, first?.bytes ?? Buffer.alloc(0))
    }
    for (const { kind, bytes } of inputs) this.#tally.sent(`${this.#wire} ${kind}`, bytes, 2)
  }

  /** Whether an honest hub serves it now, after everything that it received. */
  async isServed(honestPort: number, publish: () => void): Promise<boolean> {
    const server = this.#server
    server.honestPort = honestPort
    server.cut()
    const before = this.#probesHandled
    const again = setInterval(publish, 50)
    try {
      return await server.until(() => this.#probesHandled > before, SERVE_MS)
    } finally {
      clearInterval(again)
      server.honestPort = undefined
      server.link = undefined
      server.cut()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#server[Symbol.dispose]()
    await this.#bus.close()
  }

  /** Each input is followed by a ping, so the pongs tell which of them ended the link; it goes on behind that one. */
  async #deliver(inputs: readonly ServerInput[], writes: Writes): Promise<void> {
    const server = this.#server
    for (let left = inputs; left.length > 0;) {
      const link = await this.#readyLink()
      const { pongs } = link
      const isTaken = (): boolean => link.isOver || link.pongs - pongs >= left.length
      for (const bytes of writes(left)) {
        link.write(bytes)
        await new Promise((resolve) => setImmediate(resolve))
      }
      const mayBeOpen = left.some((input) => input.mayBeOpen)
      if (!(await server.until(isTaken, mayBeOpen ? OPEN_MS : ANSWER_MS)) && !mayBeOpen) {
        throw new Error('The client does not answer')
      }
      const taken = link.pongs - pongs
      if (taken >= left.length) return
      left = left.slice(taken + 1)
      this.#tally.ended(link.isOver ? 'ended by the client' : 'given up')
      link.destroy()
      // The next one may be there already.
      if (server.link === link) server.link = undefined
    }
  }

  async #readyLink(): Promise<HostileLink> {
    const server = this.#server
    const isReady = (): boolean => server.link?.isReady === true && !server.link.isOver
    const isGone = (): boolean => this.#bus.status.state === 'closed'
    const isBack = await server.until(() => isReady() || isGone(), BACK_MS)
    if (!isBack || isGone()) await this.#replace(isReady)
    if (server.link === undefined) throw new Error('No client comes back')
    return server.link
  }

  async #replace(isReady: () => boolean): Promise<void> {
    const { status } = this.#bus
    const why = 'cause' in status ? String(status.cause) : ''
    const end = `${status.state}: ${why.slice(0, 80)}`
    this.replaced[end] = (this.replaced[end] ?? 0) + 1
    await this.#bus.close()
    this.#bus = this.#newBus()
    if (!(await this.#server.until(isReady, SERVE_MS))) throw new Error('No client comes back')
  }

  #newBus(): Bus {
    const transport = webSocketTransport({
      url: this.#server.url,
      protocol: this.#wire === 'plain' ? plainJson() : busV1(),
      reconnect: { backoff: backoff.exponential({ initialMs: 1, maxMs: 2 }) },
      breaker: false,
    })
    // What it receives is wrong on purpose: each such error is expected.
    const bus = createBus({ transport, onError: () => {} })
    const handler = ({ type }: { readonly type: string }): void => {
      this.handled++
      if (type === 'probe.client') this.#probesHandled++
    }
    // Live on a later link, or never: a client that ended for good is followed by another.
    bus.subscribe('>', handler).catch((error: unknown) => {
      if (!this.#isClosed && bus.status.state !== 'closed')
        this.#tally.failed(-1, error, Buffer.alloc(0))
    })
    return bus
  }
}
