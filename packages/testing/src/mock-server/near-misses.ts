/** Telling a failed test which messages came close. */
import { inspect } from 'node:util'
import { differences, isRecord, type Matcher } from './matcher.ts'
import type { MockMessage } from './mock-message.ts'

const MAX_LISTED = 5
const MAX_PREVIEW = 200

/** What was received instead, the closest first. */
export function describeNearMisses(matcher: Matcher, received: readonly MockMessage[]): string {
  if (received.length === 0) return 'nothing was received'
  const ranked = received
    .map((message, at) => ({ message, at, ...compare(matcher, message) }))
    .toSorted((a, b) => b.closeness - a.closeness || b.at - a.at)
  const lines = ranked.slice(0, MAX_LISTED).map(({ message, at, hint }) => {
    const where = `#${at} on connection ${message.connection}`
    return `  ${where}: ${preview(message)}${hint === '' ? '' : ` (${hint})`}`
  })
  const more = ranked.length - lines.length
  if (more > 0) lines.push(`  and ${more} more`)
  const count = received.length === 1 ? '1 message was' : `${received.length} messages were`
  return `${count} received, the closest first\n${lines.join('\n')}`
}

/** How close it came, from 0 to 1, and what was different. */
function compare(matcher: Matcher, message: MockMessage): { closeness: number; hint: string } {
  if (typeof matcher === 'string') {
    const same = commonPrefix(matcher, message.text)
    const length = Math.max(matcher.length, message.text.length, 1)
    return { closeness: same / length, hint: `differs from character ${same}` }
  }
  if (matcher instanceof Uint8Array) {
    return message.kind === 'text'
      ? { closeness: 0, hint: 'text, not binary' }
      : { closeness: 1, hint: '' }
  }
  if (typeof matcher === 'function' || matcher instanceof RegExp || Array.isArray(matcher)) {
    return { closeness: 0, hint: '' }
  }
  if (!isRecord(message.json)) return { closeness: 0, hint: 'not a JSON object' }
  const json = message.json
  const shape = matcher as { readonly [member: string]: unknown }
  const wrong = differences(shape, json)
  const hint = wrong.map((name) => `\`${name}\` is ${brief(inspect(json[name]))}`).join(', ')
  const asked = Math.max(Object.keys(shape).length, 1)
  return { closeness: (asked - wrong.length + 1) / (asked + 1), hint }
}

function commonPrefix(a: string, b: string): number {
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return same
}

function preview({ kind, data, text }: MockMessage): string {
  if (kind === 'text') return brief(text)
  return `binary ${brief(Buffer.from(data).toString('hex'))}`
}

function brief(text: string): string {
  return text.length > MAX_PREVIEW ? `${text.slice(0, MAX_PREVIEW)}…` : text
}
