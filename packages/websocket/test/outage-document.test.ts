/** The guide to outages: its figures are the defaults of client and hub, and each setting of the hub outlasts what it must. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaults } from '../src/index.ts'
import { resolveHubOptions } from '../src/hub/options.ts'

const GUIDE = readFileSync(new URL('../../../docs/guides/outages.md', import.meta.url), 'utf8')

const hub = resolveHubOptions({ allowAnonymous: true, confirm: 'subscribers' })

/** The rows of its table, each as its cells. */
function rows(): string[][] {
  const [, table = ''] = /<!-- outages -->(.*)<!-- \/outages -->/s.exec(GUIDE) ?? []
  const lines = table.trim().split('\n').slice(2)
  return lines.map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
}

const numberOf = (cell = ''): number => Number(cell.replaceAll(',', ''))

/** The default of a client's option, by its path. */
function clientDefault(path: string): number {
  const [group = '', name = ''] = path.split('.')
  const values = Object.entries(defaults) as [string, Readonly<Record<string, number>>][]
  return new Map(values).get(group)?.[name] ?? Number.NaN
}

const comebackMs =
  defaults.backoff.maxMs + defaults.timeouts.connectMs + defaults.timeouts.bootstrapMs
const detectionMs = defaults.heartbeat.intervalMs + defaults.heartbeat.timeoutMs

test('names the defaults, and adds up those of the client', () => {
  const found = rows().map(([, name, value, formula = '', sum]) => {
    const terms = formula.split(' + ').map(clientDefault)
    expect(numberOf(sum), name).toBe(terms.reduce((all, ms) => all + ms, 0))
    return [name, numberOf(value)]
  })
  const { sessionTtlMs, graceMs, holdMs } = hub
  expect(Object.fromEntries(found)).toEqual({ sessionTtlMs, graceMs, holdMs })
  const outageMs = /outage of up to (\d+) s/.exec(GUIDE)?.[1]
  expect(Number(outageMs) * 1_000).toBe(sessionTtlMs - comebackMs)
})

test('a session outlasts a client that learns of the loss by its heartbeat, waits its longest, and needs all its time to dial', () => {
  expect(hub.sessionTtlMs).toBeGreaterThan(detectionMs + comebackMs)
})

test('the grace of a hub that starts lasts until every client had the time to be back', () => {
  expect(hub.graceMs).toBeGreaterThanOrEqual(comebackMs)
  expect(resolveHubOptions({ allowAnonymous: true }).graceMs).toBe(0)
})

test('a connection that breaks while the hub is there is back long before it is given up', () => {
  expect(hub.holdMs).toBeGreaterThan(10 * defaults.backoff.initialMs)
})
