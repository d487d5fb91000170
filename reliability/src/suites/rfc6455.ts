/** RFC 6455: what hub and client make of every kind of frame, valid and not, as Autobahn expects it. */
import { inspect, isDeepStrictEqual } from 'node:util'
import { seededRandom } from '@bus/testing/chaos'
import { exactly } from '../report/bar.ts'
import { Progress } from '../report/progress.ts'
import { ClientSide } from '../rfc6455/client-side.ts'
import { HubSide } from '../rfc6455/hub-side.ts'
import type { Outcome, Row } from '../rfc6455/row.ts'
import { ROWS } from '../rfc6455/table.ts'
import type { Suite, SuiteOptions, SuiteReport } from './suite.ts'

/** Of so many rows a small run plays one. */
const SMOKE_STEP = 8
/** Failures that a report shows of each side. */
const MOST_SHOWN = 10

interface Side {
  play(row: Row): Promise<Outcome & { readonly strays: number }>
}

/** Plays the rows one after the other. @returns what came of those that did not end as they should */
export async function playRows(
  side: Side,
  rows: readonly Row[],
  onPlayed: () => void = () => {},
): Promise<string[]> {
  const failures: string[] = []
  for (const row of rows) {
    const got = await side.play(row)
    // A link that the row leaves open is closed by the end that plays it.
    const want = { ...row.want, close: row.want.close ?? 1000, strays: 0 }
    if (!isDeepStrictEqual(got, want)) failures.push(describe(row, want, got))
    onPlayed()
  }
  return failures
}

function describe({ id, about }: Row, want: object, got: object): string {
  const shown = (value: object): string => inspect(value, { depth: 4, breakLength: Infinity })
  return `${id} ${about}: expected ${shown(want).slice(0, 300)}, got ${shown(got).slice(0, 300)}`
}

async function run({ seed, size }: SuiteOptions): Promise<SuiteReport> {
  const rows = size === 'smoke' ? ROWS.filter((_, i) => i % SMOKE_STEP === 0) : ROWS
  let played = 0
  using progress = new Progress('rfc6455', () => `${played} of ${2 * rows.length} rows`)
  return report(rows, await playBoth(rows, seed, () => void played++))
}

interface Failures {
  readonly hub: readonly string[]
  readonly client: readonly string[]
}

async function playBoth(
  rows: readonly Row[],
  seed: number,
  onPlayed: () => void,
): Promise<Failures> {
  const random = seededRandom(seed)
  await using hub = await HubSide.start(random)
  await using client = await ClientSide.start(random)
  return {
    hub: await playRows(hub, rows, onPlayed),
    client: await playRows(client, rows, onPlayed),
  }
}

function report({ length }: readonly Row[], { hub, client }: Failures): SuiteReport {
  return {
    figures: {
      rows: length,
      hub: hub.slice(0, MOST_SHOWN),
      client: client.slice(0, MOST_SHOWN),
    },
    bars: [
      exactly('rows that the hub passes', length - hub.length, length),
      exactly('rows that the client passes', length - client.length, length),
    ],
  }
}

/** Raw ends against our hub and our client. */
export const rfc6455: Suite = {
  name: 'rfc6455',
  about: 'frames of every kind, valid and not, to hub and client, as Autobahn groups 1 to 7 expect',
  run,
}
