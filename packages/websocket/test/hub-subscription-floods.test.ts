/** Floods of subscriptions, and patterns that make matching expensive. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { PatternSets } from '../src/hub/bus-v1/log/pattern-set.ts'
import { busV1 } from '../src/index.ts'
import { collect, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, sub } from './wire-client.ts'

/** Patterns of `a` and `*` with sixteen tokens, at most so many of them `*`: all match `a.a.….a`. */
function patternsOf(stars: number, tokens = 16): string[] {
  if (tokens === 0) return ['']
  const rest = (left: number): string[] => patternsOf(left, tokens - 1)
  const fixed = rest(stars).map((tail) => `a.${tail}`)
  return stars === 0 ? fixed : [...fixed, ...rest(stars - 1).map((tail) => `*.${tail}`)]
}

const without = (pattern: string): string => pattern.replace(/\.$/, '')
const DEEPEST = Array.from({ length: 16 }, () => 'a').join('.')

test('a flood of subscriptions leaves 128, and the hub does not grow with the rest [F154]', async () => {
  const hub = await startHub()
  const [flood, other] = [await greet(hub), await greet(hub)]
  for (let from = 0; from < 20_000; from += 1_000) {
    flood.say(...Array.from({ length: 1_000 }, (_, i) => `sub ${from + i} t${from + i}.> alo`))
    await flood.line(`subno ${from + 999} limit`)
  }
  expect(flood.heard('subok')).toHaveLength(128)
  expect(flood.heard('subno')).toHaveLength(20_000 - 128)
  expect(hub.stats().busV1.subscriptions).toBe(128)
  other.say('sub 1 > alo', pub(1, 'still here'))
  await other.events(1)
})

test('a hello full of subscriptions gets no more than that either [F154]', async () => {
  const hub = await startHub()
  const subs = Array.from({ length: 10_000 }, (_, i) => sub(i, `t${i}`))
  const client = await greet(hub, { subs })
  const codes = client.welcome.subs.map(({ code }) => code)
  expect(codes.slice(0, 128).every((code) => code === undefined)).toBe(true)
  expect(new Set(codes.slice(128))).toEqual(new Set(['limit']))
  expect(hub.stats().busV1.subscriptions).toBe(128)
})

test('subscribing and unsubscribing again and again makes the set of all patterns rarely, and leaves nothing behind [F154]', async () => {
  const hub = await startHub()
  const deep = patternsOf(4).map(without).slice(0, 127)
  const client = await greet(hub, { subs: deep.map((pattern, i) => sub(i, pattern)) })
  const acquire = vi.spyOn(PatternSets.prototype, 'acquire')
  const pair = (n: number): string => `sub ${1_000 + n} t${n}.*.> amo\nunsub ${1_000 + n}`
  for (let from = 0; from < 10_000; from += 2_000) {
    client.say(...Array.from({ length: 2_000 }, (_, i) => pair(from + i)))
  }
  await client.line('subok 10999')
  // Ten thousand times would be each time; how often it is depends on how the lines arrive.
  const made = acquire.mock.calls.filter(([patterns]) => [...patterns].length > 1)
  expect(made.length).toBeLessThan(1_000)
  expect(client.heard('subno')).toEqual([])
  await client.settled()
  expect(hub.stats().busV1.subscriptions).toBe(127)
})

test('a pattern with more than four wildcards of one token is refused [F155]', async () => {
  const hub = await startHub()
  const client = await greet(hub, { subs: [sub(1, '*.*.*.*'), sub(2, '*.*.*.*.*')] })
  expect(client.welcome.subs).toEqual([
    { id: 1, offset: 0 },
    { id: 2, code: 'pattern' },
  ])
  client.say('sub 3 *.*.*.*.> alo', 'sub 4 *.a.*.b.*.c.*.d.* alo')
  await client.line('subno 4 pattern')
  expect(client.heard('subok').map((line) => line.split(' ')[0])).toEqual(['3'])
  const transport = transportTo(hub, { protocol: busV1() })
  const feed = transport.subscribe(['*.*.*.*.*'], { deliver: () => true })
  await expect(feed.live).rejects.toMatchObject({ code: 'rejected' })
})

test('all patterns that are allowed and match one type bring it to each client once [F155]', async () => {
  const hub = await startHub()
  const patterns = patternsOf(4).map(without)
  // One of each way to put none to four wildcards into sixteen places.
  expect(patterns).toHaveLength(1 + 16 + 120 + 560 + 1_820)
  const clients = []
  for (let from = 0; from < patterns.length; from += 128) {
    const subs = patterns.slice(from, from + 128).map((pattern, i) => sub(i, pattern, 'amo'))
    clients.push(await greet(hub, { subs }))
  }
  const publisher = await greet(hub)
  const EVENTS = 200
  publisher.say(...Array.from({ length: EVENTS }, (_, i) => pub(i + 1, i, DEEPEST)))
  await Promise.all(clients.map((client) => client.events(EVENTS)))
  // Each client once, however many of its patterns match.
  expect(clients.every((client) => client.offsets.length === EVENTS)).toBe(true)
})

test('subscribing many patterns at once is one wait, which Node does not take for a leak', async () => {
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => void process.off('warning', note))
  const hub = await startHub()
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.connect()
  const sink = { deliver: (): boolean => true }
  await transport.subscribe(
    Array.from({ length: 100 }, (_, i) => `t${i}`),
    sink,
  ).live
  // Warnings are told in a turn of their own.
  await new Promise((resolve) => setImmediate(resolve))
  expect(warnings).toEqual([])
})

test('our client takes one event for all of its own subscriptions that match [F155]', async () => {
  const hub = await startHub({ limits: { subscriptionsPerConnection: 4_000 } })
  const transport = transportTo(hub, { protocol: busV1() })
  const all = await collect(transport, ...patternsOf(4).map(without))
  const publisher = await greet(hub)
  publisher.say(...Array.from({ length: 200 }, (_, i) => pub(i + 1, i, DEEPEST)))
  await until(() => all.events.length === 200, 'all, once each')
})
