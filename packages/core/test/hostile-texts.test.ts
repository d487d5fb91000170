/** Texts that make a regular expression or a matcher take for ever, and everything of ours that reads texts of others. */
import { describe, expect, test, vi } from 'vitest'
import { jsonCodec } from '../src/codec/json-codec.ts'
import { isSecretName, printable, redactText, redactUrl } from '../src/config/redact.ts'
import { isId } from '../src/contract/event.ts'
import { matches, PatternTrie } from '../src/contract/pattern-index.ts'
import { isPattern, isType } from '../src/contract/type.ts'
import { errorData } from '../src/observe/error-data.ts'
import { formatLog } from '../src/observe/log-format.ts'

/** Characters of a text. One that is read in the square of its length takes minutes. */
const LENGTH = 500_000
/** What is linear takes milliseconds, and on a machine that is busy with other things no minute. */
const LIMIT_MS = 60_000

const PIECES = [
  'a',
  'a.',
  'a-',
  'a+',
  'a ',
  ' ',
  '/',
  '//',
  'a://',
  ':',
  '@',
  'a@',
  '?',
  '=',
  '&',
  '%',
]
const TEXTS: readonly string[] = [...PIECES, '"', '\\', '{', '[', '*.', '>', '\u202e', '\n', '1']

const plain = formatLog('plain')
const json = formatLog('json')
const codec = jsonCodec()

const READERS: readonly [name: string, read: (text: string) => unknown][] = [
  ['isType', isType],
  ['isPattern', isPattern],
  ['isId', isId],
  ['matches, as a pattern', (text) => matches(text, 'a.a')],
  ['matches, as a type', (text) => matches('a.*.>', text)],
  ['isSecretName', isSecretName],
  ['redactUrl', redactUrl],
  ['redactText', redactText],
  ['printable', printable],
  ['errorData', (text) => errorData(new Error(text))],
  ['a line of a log', (text) => plain({ time: 0, level: 'info', message: text, fields: { text } })],
  ['a line of JSON', (text) => json({ time: 0, level: 'info', message: text, fields: { text } })],
  ['decode', (text) => codec.decode(text)],
  ['decode of an id', (text) => codec.decode(frame({ id: text }))],
  ['decode of a type', (text) => codec.decode(frame({ event_type: text }))],
  ['decode of a timestamp', (text) => codec.decode(frame({ metadata: { timestamp: text } }))],
]

function frame(members: object): string {
  return JSON.stringify({ id: 'i', event_type: 'a', payload: 1, ...members })
}

function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('a hostile text', () => {
  test.each(READERS)('takes %s no longer than its length says [F156]', (_name, read) => {
    for (const piece of TEXTS) {
      const text = piece.repeat(LENGTH / piece.length)
      // Also one that fits nearly, up to its last character.
      for (const input of [text, `${text}!`, `a${text}\u0000`]) {
        const startedAt = performance.now()
        attempt(() => read(input))
        expect(performance.now() - startedAt, `${piece} …`).toBeLessThan(LIMIT_MS)
      }
    }
  })
})

test('the URL behind a scheme of any length is hidden in an error', () => {
  const { message } = errorData(
    new Error(`failed: ${'x'.repeat(40)}://user:canary@h/?token=canary`),
  )
  expect(message).not.toContain('canary')
  expect(message).toContain('failed: ')
})

test('sixteen tokens and patterns that all begin alike cost a walk, not a product [F156]', () => {
  const trie = new PatternTrie<number>()
  const type = Array.from({ length: 16 }, () => 'a').join('.')
  for (let stars = 0; stars < 16; stars++) {
    const tokens = type.split('.')
    for (let i = 0; i <= stars; i++) tokens[15 - i] = '*'
    trie.add(tokens.join('.'), stars)
  }
  const looks = vi.spyOn(Map.prototype, 'get')
  const found = trie.match(`${type.slice(0, -1)}z`)
  const { length } = looks.mock.calls
  looks.mockRestore()
  expect(found).toHaveLength(16)
  // One look for each branch at most.
  expect(length).toBeLessThanOrEqual(trie.nodes)
})
