/** Lines of a hub of `bus.v1` by grammar, good and bad ones. */
import type { Choice } from './choice.ts'
import { jsonValue, plainEvent } from './json-grammar.ts'

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
const CODES = ['size', 'type', 'auth', 'limit', 'BAD', '', 'x'.repeat(33)] as const
const REASONS = ['slow', 'overrun', 'epoch', 'size', 'bored', ''] as const

function body(choice: Choice): string {
  if (choice.chance(0.6)) return '{"payload":{"total":1},"metadata":{"timestamp":1}}'
  return choice.chance(0.5) ? plainEvent(choice) : jsonValue(choice)
}

function event(choice: Choice, offset: number): string {
  const at = choice.chance(0.995) ? String(offset) : choice.of(NUMBERS)
  const type = choice.chance(0.995)
    ? choice.of(['a', 'order.created', 'x.y'])
    : choice.of(['a..b', '*', ''])
  const id = choice.chance(0.995) ? `id-${offset}` : choice.of(['', '\u0007', 'i'.repeat(129)])
  return `${choice.chance(0.9) ? 'ev' : 'rv'} ${at} ${type} ${id} ${body(choice)}`
}

/** One message. Offsets rise with the index of the input, as they do on a link. */
export function hubMessage(choice: Choice, index: number): string {
  const kind = choice.below(1_000)
  const offset = index * 4 + 1
  if (kind < 900) return choice.some(1, 3, (i) => event(choice, offset + i)).join('\n')
  if (kind < 940) return `mark ${choice.chance(0.9) ? offset : choice.of(NUMBERS)}`
  if (kind < 970) return `gap ${offset} ${offset + choice.below(2)} ${choice.of(REASONS)}`
  if (kind < 976) return `ok ${choice.of(NUMBERS)}`
  if (kind < 982) return `no ${choice.of(NUMBERS)} ${choice.of(CODES)}`
  if (kind < 988) return `subok ${choice.of(NUMBERS)} ${choice.of(NUMBERS)}`
  if (kind < 994) return `subno ${choice.of(NUMBERS)} ${choice.of(CODES)}`
  return `${choice.of(['welcome', 'pub', 'EV', '', ' '])} ${jsonValue(choice)}`
}
