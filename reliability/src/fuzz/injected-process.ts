/** The process of the fuzzer: a hub, and links that are injected into its HTTP server. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHub, type HubOptions } from '@bus/websocket/hub'
import { LoopWatch } from '../report/loop-watch.ts'
import { Mishaps } from '../report/mishaps.ts'
import { RssWatch } from '../report/rss-watch.ts'
import { FuzzTally } from './tally.ts'
import { hubInput, type HubInput } from './hub-input.ts'
import { InjectedLink } from './injected-link.ts'
import { FUZZ_HUB } from './fuzz-hub.ts'
import type { FuzzNews, FuzzOrder } from './orders.ts'

/** Milliseconds of work between two turns of the loop. */
const SLICE_MS = 4

const tell = (news: FuzzNews): void => void process.send?.(news)

/** One link for each wire, made again when it has ended. */
class Links {
  readonly #server: Server
  readonly #tally: FuzzTally
  readonly #live = new Map<HubInput['wire'], InjectedLink>()

  constructor(server: Server, tally: FuzzTally) {
    this.#server = server
    this.#tally = tally
  }

  async send({ wire, mayBeOpen }: HubInput, pieces: readonly Buffer[]): Promise<void> {
    let link = this.#live.get(wire)
    if (link === undefined) {
      this.#tally.links++
      link = await InjectedLink.open(this.#server, wire)
      this.#live.set(wire, link)
    }
    for (const piece of pieces) if (link.voice.ended === undefined) link.push(piece)
    // Nothing can follow on a link that has begun something, and nothing is known of one without a first line.
    const isSpent = wire === 'mute' || wire === 'tcp' || (mayBeOpen && !link.isBetweenFrames())
    if (link.voice.ended === undefined && !isSpent) return
    // The reason for an end is reported in the next iteration of the event loop.
    if (link.voice.ended === undefined) await new Promise((resolve) => process.nextTick(resolve))
    this.#tally.ended(link.voice.ended ?? 'given up')
    this.#live.delete(wire)
    link.destroy()
  }
}

async function run({ seed, from, inputs, every }: FuzzOrder): Promise<void> {
  const mishaps = new Mishaps()
  // The errors of bad frames are made a million times, so they have no stack.
  Error.stackTraceLimit = 0
  const server = createServer()
  const hub = await createHub({ ...(FUZZ_HUB as HubOptions), server })
  server.listen({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const tally = new FuzzTally()
  const links = new Links(server, tally)
  const loop = new LoopWatch()
  const rss = new RssWatch(Math.ceil(inputs / 5))
  tell({ kind: 'listening', port })
  await go()
  loop.reset()
  let sliceAt = performance.now()
  for (let done = 0; done < inputs; done++) {
    const index = from + done
    const input = hubInput(seed, index)
    try {
      // A copy: the hub takes off the mask in place.
      await links.send(input, [Buffer.from(input.bytes)])
      await links.send(input, [input.bytes.subarray(0, input.cut), input.bytes.subarray(input.cut)])
    } catch (error) {
      tally.failed(index, error, input.bytes)
    }
    tally.sent(input.kind, input.bytes, 2)
    if (performance.now() - sliceAt > SLICE_MS) {
      await new Promise((resolve) => setImmediate(resolve))
      rss.look(done)
      sliceAt = performance.now()
    }
    for (const what of mishaps.seen.slice(tally.mishaps)) tally.mishap(index, what, input.bytes)
    if ((done + 1) % every === 0 || done + 1 === inputs) {
      tell({ kind: 'pause', inputs: done + 1 })
      await go()
      sliceAt = performance.now()
    }
  }
  tell({
    kind: 'done',
    figures: tally.figures(),
    loop: loop.figures(),
    rssGrowthBytes: rss.growthBytes,
    mishaps: mishaps.seen,
  })
  await hub.close()
}

function go(): Promise<unknown> {
  return once(process, 'message')
}

process.on('disconnect', () => process.exit())
process.once('message', (order) => void run(order as FuzzOrder))
