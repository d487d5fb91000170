/** Fuzzes a hub over TCP: a few connections at once, each waits until its input was taken. */
import type { FuzzTally } from './tally.ts'
import { hubInput, type HubInput } from './hub-input.ts'
import { TcpLink } from './tcp-link.ts'

/** Connections at once, for each wire. */
const WORKERS = 24

export interface OverTcpOptions {
  readonly port: number
  readonly seed: number
  /** The first input. */
  readonly from: number
  readonly inputs: number
  readonly tally: FuzzTally
  /** Inputs between two calls of `onEvery`, which all workers wait for. */
  readonly every: number
  readonly onEvery: () => Promise<void>
}

/** One of the workers, with a link for each wire. */
class Worker {
  readonly #options: OverTcpOptions
  readonly #live = new Map<HubInput['wire'], TcpLink>()

  constructor(options: OverTcpOptions) {
    this.#options = options
  }

  async try(index: number): Promise<void> {
    const { seed, tally } = this.#options
    const input = hubInput(seed, index)
    const { bytes, cut } = input
    try {
      await this.#send(input, [bytes])
      await this.#send(input, [bytes.subarray(0, cut), bytes.subarray(cut)])
    } catch (error) {
      tally.failed(index, error, bytes)
      this.#drop(input.wire)
    }
    tally.sent(input.kind, bytes, 2)
  }

  end(): void {
    for (const wire of this.#live.keys()) this.#drop(wire)
  }

  async #send({ wire, mayBeOpen }: HubInput, pieces: readonly Buffer[]): Promise<void> {
    const { port, tally } = this.#options
    let link = this.#live.get(wire)
    if (link === undefined) {
      tally.links++
      link = await TcpLink.open(port, wire)
      this.#live.set(wire, link)
    }
    const isTaken = await link.send(pieces, mayBeOpen)
    const isSpent = wire === 'mute' || wire === 'tcp' || !isTaken
    if (link.voice.ended === undefined && !isSpent) return
    tally.ended(link.voice.ended ?? 'given up')
    this.#drop(wire)
  }

  #drop(wire: HubInput['wire']): void {
    this.#live.get(wire)?.destroy()
    this.#live.delete(wire)
  }
}

/** Resolves when every input was sent. */
export async function fuzzOverTcp(options: OverTcpOptions): Promise<void> {
  const { from, inputs, every, onEvery } = options
  const workers = Array.from({ length: WORKERS }, () => new Worker(options))
  for (let done = 0; done < inputs; done += every) {
    let next = from + done
    const end = from + Math.min(inputs, done + every)
    const work = async (worker: Worker): Promise<void> => {
      while (next < end) await worker.try(next++)
    }
    await Promise.all(workers.map(work))
    await onEvery()
  }
  for (const worker of workers) worker.end()
}
