/** Fuzz: a hub and clients are told what follows from a seed, whole and in pieces, and must neither fall nor swell. */
import { FuzzTally } from '../fuzz/tally.ts'
import { fuzzClients } from '../fuzz/against-clients.ts'
import { FUZZ_HUB } from '../fuzz/fuzz-hub.ts'
import { fuzzInjected, type InjectedResult } from '../fuzz/injected.ts'
import type { FuzzFailure } from '../fuzz/orders.ts'
import { fuzzOverTcp } from '../fuzz/over-tcp.ts'
import { newBus } from '../load/client.ts'
import { WatchedHubs } from '../hub/watched-hubs.ts'
import { Probe } from '../raw/probe.ts'
import { atMost, exactly, type Bar } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

interface Size {
  /** Inputs of the hub over links without a network. */
  readonly injected: number
  /** Processes that share them. */
  readonly shards: number
  readonly overTcp: number
  /** Inputs of clients. */
  readonly clients: number
  /** Inputs between two probes. */
  readonly every: number
}

const SIZES: Readonly<Record<SuiteOptions['size'], Size>> = {
  full: { injected: 950_000, shards: 2, overTcp: 50_000, clients: 200_000, every: 10_000 },
  quick: { injected: 95_000, shards: 2, overTcp: 5_000, clients: 20_000, every: 10_000 },
  smoke: { injected: 1_600, shards: 1, overTcp: 200, clients: 200, every: 1_000 },
}

const MAX_GROWTH_BYTES = 50 * 1024 * 1024
const MAX_BLOCK_MS = 100
/** One part in so many is for the hub to warm up, before its memory is looked at. */
const WARM_UP = 5

/** How far everything is, for the line of each second. */
interface Tally {
  readonly injected: number[]
  overTcp: FuzzTally
  clients: FuzzTally
}

/** Parts of the inputs, one for each process. */
async function injectAll(seed: number, size: Size, tally: Tally): Promise<InjectedResult[]> {
  const { injected, shards, every } = size
  const share = Math.ceil(injected / shards)
  return Promise.all(
    Array.from({ length: shards }, (_, i) => {
      const order = { seed, from: i * share, inputs: Math.min(share, injected - i * share), every }
      return fuzzInjected(order, (inputs) => (tally.injected[i] = inputs))
    }),
  )
}

/** Over TCP, and then against clients, for which the same hub is the honest one. */
async function overNetwork(seed: number, size: Size, tally: Tally): Promise<SuiteReport> {
  await using hubs = await WatchedHubs.start()
  const port = await hubs.open('fuzzed', FUZZ_HUB)
  const url = `ws://127.0.0.1:${port}`
  await using probe = await Probe.start({ url })
  let base = 0
  let probes = 0
  await fuzzOverTcp({
    port,
    seed,
    from: size.injected,
    inputs: size.overTcp,
    every: Math.min(size.every, Math.ceil(size.overTcp / WARM_UP)),
    tally: tally.overTcp,
    onEvery: async () => {
      probes++
      await probe.serve()
      // The first part warms it up.
      if (base === 0) base = (await hubs.look()).rssBytes
    },
  })
  const hub = await hubs.look()
  const publisher = newBus(url, 'probe', Math.random)
  const clients = await fuzzClients({
    seed,
    inputs: size.clients,
    every: size.every,
    tally: tally.clients,
    honestPort: port,
    publish: () => void publisher.emit('probe.client', 1),
  })
  await publisher.close()
  const growth = hub.rssBytes - base
  return {
    figures: {
      overTcp: { ...tally.overTcp.figures(), loop: hub.loop, rssGrowthBytes: growth },
      clients: { ...tally.clients.figures(), ...clients },
      mishaps: hub.mishaps,
      probeFailures: probe.failures,
    },
    bars: [
      exactly('over TCP: inputs', tally.overTcp.inputs, size.overTcp),
      exactly('over TCP: probes served', probe.served, probes),
      exactly('over TCP: crashes', hubs.hasCrashed ? 1 : 0, 0),
      exactly('over TCP: mishaps', hub.mishaps.length, 0),
      atMost('over TCP: bytes of memory that the hub grew', growth, MAX_GROWTH_BYTES),
      atMost('over TCP: ms of the longest block', hub.loop.longestOwnBlockMs, MAX_BLOCK_MS),
      exactly('clients: inputs', tally.clients.inputs, size.clients),
      exactly('clients: served by an honest hub afterwards', clients.served, clients.probes),
    ],
  }
}

function barsOf(results: readonly InjectedResult[], inputs: number): Bar[] {
  const sum = (figure: (result: InjectedResult) => number): number =>
    results.reduce((total, result) => total + figure(result), 0)
  const most = (figure: (result: InjectedResult) => number): number =>
    Math.max(...results.map(figure))
  return [
    exactly(
      'injected: inputs',
      sum(({ figures }) => figures.inputs),
      inputs,
    ),
    exactly(
      'injected: sent, whole and in two pieces',
      sum(({ figures }) => figures.sends),
      2 * inputs,
    ),
    exactly(
      'injected: probes served',
      sum(({ served }) => served),
      sum(({ probes }) => probes),
    ),
    exactly(
      'injected: mishaps',
      sum(({ mishaps }) => mishaps.length),
      0,
    ),
    atMost(
      'injected: bytes of memory that the hub grew',
      most(({ rssGrowthBytes }) => rssGrowthBytes),
      MAX_GROWTH_BYTES,
    ),
    atMost(
      'injected: ms of the longest block',
      most(({ loop }) => loop.longestOwnBlockMs),
      MAX_BLOCK_MS,
    ),
  ]
}

function tell(seed: number, part: string, failures: readonly FuzzFailure[]): void {
  for (const { index, what, bytes } of failures) {
    process.stderr.write(`fuzz (${part}): seed ${seed}, input ${index}: ${what}\n  ${bytes}\n`)
  }
}

async function run({ seed, size: name }: SuiteOptions): Promise<SuiteReport> {
  const size = SIZES[name]
  const startedAt = performance.now()
  // The errors of bad frames are made a hundred thousand times, and nobody looks where.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const tally: Tally = { injected: [], overTcp: new FuzzTally(), clients: new FuzzTally() }
  const injectedSoFar = (): number => tally.injected.reduce((sum, n) => sum + n, 0)
  using progress = new Progress(
    'fuzz',
    () =>
      `${injectedSoFar()} of ${size.injected} injected, ${tally.overTcp.inputs} over TCP, ${tally.clients.inputs} to clients`,
  )
  try {
    const [injected, network] = await Promise.all([
      injectAll(seed, size, tally),
      overNetwork(seed, size, tally),
    ])
    const parts = [
      ...injected.map(({ figures }) => ['injected', figures.failures] as const),
      ['over TCP', tally.overTcp.figures().failures] as const,
      ['clients', tally.clients.figures().failures] as const,
    ]
    for (const [part, failures] of parts) tell(seed, part, failures)
    const failed = parts.reduce((sum, [, failures]) => sum + failures.length, 0)
    return {
      figures: {
        injected,
        ...network.figures,
        seconds: Math.round(performance.now() - startedAt) / 1_000,
      },
      bars: [
        ...barsOf(injected, size.injected),
        ...network.bars,
        exactly('inputs that something went wrong at', failed, 0),
      ],
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** A failing input is told with its seed and index, from which it follows. */
export const fuzz: Suite = {
  name: 'fuzz',
  about:
    'a million frames into the hub and 200,000 into clients, each also in two pieces: nobody falls',
  run,
}
