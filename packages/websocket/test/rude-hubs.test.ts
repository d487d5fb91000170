import { createBus, createEvent } from '@bus/core'
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  oneof,
  record,
  string,
} from 'fast-check'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { ev, startLiteralHub, type LiteralHub } from './literal-hub.ts'

/** Lines that are good, at the wrong moment, or none at all. */
const LINES =
  `|nonsense|ok|ok 1|ok 99|ok x|no 1 size|no 7 type|no 1|mark 5|mark x|gap 1 4 slow|gap 4 1 slow
|gap 1 2 bored|subok 1 0|subok 9 9|subno 1 auth|ev 1 order.a id {"payload":1|ev 2 order.a|ev x
|rv 3 order.a id {}|bye {}|bye {"code":1001}|welcome {}|welcome x|auth {}|hello {}|pub 1 a i {}`
    .replaceAll('\n', '')
    .split('|')

const line = oneof(
  constantFrom(...LINES),
  string({ maxLength: 12 }).map((text) => text.replaceAll('\n', ' ')),
)

interface Rudeness {
  readonly when: 'instead of' | 'with' | 'right behind' | 'long after'
  readonly say: readonly string[]
  readonly end: number | 'bytes' | 'reset'
}

/** What a hub does with one link: what it says, when, seen from the welcome, and how that ends. */
const rudeness = record<Rudeness>({
  when: constantFrom('instead of', 'with', 'right behind', 'long after'),
  say: array(line, { minLength: 1, maxLength: 3 }),
  end: constantFrom<(number | 'bytes' | 'reset')[]>(
    'reset',
    'bytes',
    1001,
    1011,
    1012,
    4408,
    4409,
    4503,
  ),
})

function beRude(hub: LiteralHub, { say, end }: Rudeness): void {
  hub.say(...say)
  if (end === 'reset') hub.latest.reset()
  else if (end === 'bytes') hub.latest.send(Uint8Array.of(1))
  else hub.latest.close(end)
}

/** Is rude on as many links, and well-mannered on those that follow. */
async function startRudeHub(links: readonly Rudeness[]): Promise<LiteralHub> {
  const hub: LiteralHub = await startLiteralHub({
    welcome: ({ sid }, index) => {
      const rude = links[index]
      if (rude === undefined) return { resumed: sid !== undefined, head: 100 }
      if (rude.when === 'instead of') {
        beRude(hub, rude)
        return undefined
      }
      if (rude.when === 'with') queueMicrotask(() => beRude(hub, rude))
      else if (rude.when === 'right behind') setImmediate(() => beRude(hub, rude))
      else setTimeout(() => beRude(hub, rude), 5)
      return { resumed: sid !== undefined }
    },
  })
  return hub
}

const codeOf = (error: { readonly code: string }): string => error.code

test('whatever a hub says on a few links, and whenever, the client finds its way once there is a good one [F69]', async () => {
  const links = array(rudeness, { minLength: 1, maxLength: 4 })
  await assert(
    asyncProperty(links, integer({ min: 0, max: 3 }), async (rude, count) => {
      const hub = await startRudeHub(rude)
      const transport = transportTo(hub, { protocol: busV1(), breaker: false })
      const bus = createBus({ transport })
      const seen: unknown[] = []
      const handle = ({ payload }: { readonly payload: unknown }): void => void seen.push(payload)
      const live = bus.subscribe('order.*', handle).then(() => 'live', codeOf)
      const publishes = Array.from({ length: count }, (_, n) =>
        bus.publish(createEvent('a', n)).then(({ status }) => status, codeOf),
      )
      const outcome = await live
      await until(
        () => hub.hellos.length > rude.length && transport.status.state === 'ready',
        `a good link, not ${transport.status.state}`,
      )
      // A hub may have refused anything; nothing is left without an outcome.
      expect(['live', 'rejected']).toContain(outcome)
      for (const end of await Promise.all(publishes))
        expect(['confirmed', 'rejected']).toContain(end)
      if (outcome === 'rejected') await bus.subscribe('order.*', handle)
      hub.say(ev(500, 'good', 'order.a'))
      await until(() => seen.includes('good'), 'the good event')
      await bus.close()
      await hub.server.close()
    }),
    { numRuns: 25 },
  )
})
