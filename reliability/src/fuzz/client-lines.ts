/** Lines of a client of `bus.v1` by grammar, good and bad ones. */
import type { Choice } from './choice.ts'
import { eventBody, jsonValue } from './json-grammar.ts'

const TYPES = [
  'a',
  'order.created',
  'stock.eu.low',
  'a..b',
  '*',
  '',
  'a b',
  '$SYS',
  '__proto__',
] as const
const GOOD_TYPES = ['a', 'order.created', 'stock.eu.low', 'x-1.y_2'] as const
const PATTERNS = ['a', 'order.*', 'stock.>', '>', '*.*.*.*.*', 'a.>.b', '', 'a*', 'x.y.z'] as const
const NUMBERS = [
  '0',
  '1',
  '2',
  '-1',
  '01',
  '9007199254740991',
  '9007199254740992',
  'x',
  '',
] as const
const IDS = ['i', 'id-1', '', '\u0007', 'é', 'i'.repeat(128), 'i'.repeat(129)] as const

function publish(choice: Choice): string {
  // Most have no number, so that the link does not end at a hole.
  const n = choice.chance(0.99) ? choice.of(['-', '-', '-', '1']) : choice.of(NUMBERS)
  const type = choice.chance(0.9) ? choice.of(GOOD_TYPES) : choice.of(TYPES)
  const id = choice.chance(0.997) ? 'id-1' : choice.of(IDS)
  return `${choice.chance(0.9) ? 'pub' : 'rep'} ${n} ${type} ${id} ${eventBody(choice)}`
}

function subscribe(choice: Choice): string {
  const from = choice.chance(0.02) ? ` ${choice.of(NUMBERS)}` : ''
  const id = choice.chance(0.98) ? String(choice.below(1_000_000)) : choice.of(NUMBERS)
  const pattern = choice.chance(0.95) ? choice.of(['a', 'order.*', 'stock.>']) : choice.of(PATTERNS)
  const mode = choice.chance(0.99) ? choice.of(['amo', 'alo']) : 'x'
  // Each input is sent twice, and a subscription that is there already would end the link.
  const before = choice.chance(0.97) ? `unsub ${id}\n` : ''
  return `${before}sub ${id} ${pattern} ${mode}${from}`
}

/** One line. */
function line(choice: Choice): string {
  const kind = choice.below(1_000)
  if (kind < 700) return publish(choice)
  if (kind < 800) return subscribe(choice)
  if (kind < 900) return `unsub ${choice.chance(0.98) ? choice.below(1_000) : choice.of(NUMBERS)}`
  if (kind < 970) return `ack ${choice.chance(0.95) ? '0' : choice.of(NUMBERS)}`
  if (kind < 990) return `auth ${choice.chance(0.9) ? '{"token":"t"}' : jsonValue(choice)}`
  if (kind < 992) return `bye ${jsonValue(choice)}`
  if (kind < 994) return firstLine(choice)
  if (kind < 997) return publish(choice)
  return `${choice.of(['ev', 'ok', 'welcome', 'PUB', '', ' '])} ${jsonValue(choice)}`
}

/** One message: a line or several. */
export function clientMessage(choice: Choice): string {
  return choice.chance(0.7) ? line(choice) : choice.some(2, 5, () => line(choice)).join('\n')
}

/** The first line: whole, with a member of another kind, or something else. */
export function firstLine(choice: Choice): string {
  if (choice.chance(0.2)) return `hello ${jsonValue(choice)}`
  const members = [
    `"v":${choice.chance(0.9) ? '1' : jsonValue(choice, 1)}`,
    `"subs":${choice.chance(0.7) ? `[{"id":1,"pattern":"${choice.of(PATTERNS)}","mode":"alo"}]` : jsonValue(choice, 3)}`,
  ]
  for (const name of ['sid', 'epoch', 'offset', 'window', 'token', 'maxMessageBytes']) {
    if (choice.chance(0.2)) members.push(`"${name}":${jsonValue(choice, 2)}`)
  }
  return `hello {${members.join(',')}}`
}
