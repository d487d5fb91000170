import { assert, asyncProperty, constantFrom, double, integer, oneof, string } from 'fast-check'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { startLiteralHub } from './literal-hub.ts'
import { dial, greet } from './wire-client.ts'

const isWireNumber = (text: string): boolean =>
  /^(?:0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))

/** Text that some parser would take for a number. A hyphen alone stands for one that publishes at most once. */
const lookalike = oneof(
  double().map(String),
  integer().map(String),
  string({ maxLength: 8 }),
  constantFrom('-0', '1e999', '01', '+1', '0x10', '1_000', '1.0', ' 1', '9007199254740992', 'NaN'),
).filter((text) => text !== '-' && !text.includes('\n') && !isWireNumber(text))

/** What follows the number in a line that is good otherwise. */
const REST = { pub: ' a i {}', rep: ' a i {}', sub: ' a alo', unsub: '', ack: '' } as const

test('whatever is not a decimal number below 2^53 is none, in every line of a client [F73]', async () => {
  const hub = await startHub()
  const verbs = constantFrom(...(Object.keys(REST) as (keyof typeof REST)[]))
  await assert(
    asyncProperty(verbs, lookalike, async (verb, text) => {
      const client = await greet(hub)
      client.say(`${verb} ${text}${REST[verb]}`)
      expect(await client.closed).toMatchObject({ code: 4400 })
    }),
    { numRuns: 60, examples: [['pub', '0']] },
  )
  expect(hub.stats().busV1.published).toBe(0)
})

test.each(['-1', '-0', '1.5', '1e999', '9007199254740992', '"1"', 'null', '[1]'])(
  'an offset of %s in the first line ends the link [F73]',
  async (number) => {
    const hub = await startHub()
    const client = await dial(hub)
    client.say(`hello {"v":1,"epoch":"e","offset":${number},"subs":[]}`)
    await expect(client.closed).resolves.toEqual({ code: 4400, reason: 'hello shape' })
  },
)

test.each([
  'ok -1',
  'ok -0',
  'ok 1e3',
  'ok 9007199254740993',
  'no 1.5 size',
  'mark 1e999',
  'subok 01 0',
  'gap 5 1 slow',
  'ev -1 a id {"payload":1,"metadata":{"timestamp":1}}',
  'ev 9007199254740992 a id {"payload":1,"metadata":{"timestamp":1}}',
])('a client makes another link when its hub says %s [F73]', async (line) => {
  const hub = await startLiteralHub({ welcome: ({ sid }) => ({ resumed: sid !== undefined }) })
  const transport = transportTo(hub, { protocol: busV1() })
  const notices = record(transport)
  await transport.connect()
  hub.say(line)
  await hub.welcomed(2)
  await until(() => transport.status.state === 'ready', 'ready again')
  expect(only(notices, 'undeliverable')).toMatchObject([{ reason: 'undecodable' }])
})

test.each([
  { last: -1 },
  { head: 1.5 },
  { head: '1' },
  { heartbeatMs: -5 },
  { subs: [{ id: 1, offset: -1 }] },
  { gaps: [{ from: 2, to: 1, why: 'slow' }] },
  { refused: [[0.5, 'size']] },
])('a client does not believe a welcome with %j [F73]', async (wrong) => {
  const hub = await startLiteralHub({ welcome: (_hello, index) => (index === 0 ? wrong : {}) })
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.connect({ retry: true })
  expect(hub.hellos).toHaveLength(2)
})
