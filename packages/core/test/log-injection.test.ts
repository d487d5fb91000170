/** Texts of the other side that would forge a log: what becomes of them in the lines that are written. */
import { describe, expect, test } from 'vitest'
import { printable } from '../src/config/redact.ts'
import type { TransportEvents } from '../src/contract/transport.ts'
import { Emitter } from '../src/observe/emitter.ts'
import { lineLogger } from '../src/observe/log-format.ts'
import { attachLogger } from '../src/observe/logger.ts'

const FORGERIES: readonly [what: string, text: string][] = [
  ['a line feed', 'x\n2026-01-01T00:00:00.000Z ERROR forged'],
  ['a carriage return', 'x\rforged'],
  ['both', 'x\r\nforged'],
  ['a vertical tab and a form feed', 'x\v\fforged'],
  ['the separators of Unicode', 'x\u2028forged\u2029'],
  ['next line', 'x\u0085forged'],
  ['colours of a terminal', '\u001b[31mred\u001b[0m'],
  ['a title of a terminal', '\u001b]0;owned\u0007'],
  ['the one-byte form of an escape', '\u009b31mred'],
  ['a backspace', 'good\b\b\b\bevil'],
  ['a zero byte', 'x\u0000y'],
  ['text that runs backwards', '\u202egnp.exe\u202c'],
  ['an isolate', '\u2066x\u2069'],
  ['what has no width', 'ad\u200bmin\ufeff'],
  ['tags that nobody sees', 'x\u{e0041}\u{e007f}'],
]

/** What a transport tells of a link that the other side closed with this reason. */
function closed(reason: string, format: 'plain' | 'json'): string[] {
  const lines: string[] = []
  const transport = new Emitter<TransportEvents>((error) => {
    throw error
  })
  attachLogger(transport, lineLogger({ write: (line) => lines.push(line), format }))
  transport.emit('close', { code: 4000, reason, wasClean: true, initiatedBy: 'remote' })
  transport.emit('error', { kind: 'connection', error: new Error(reason) })
  return lines
}

describe('a reason to close', () => {
  test.each(FORGERIES)('with %s makes one plain line, and no more [F158]', (_what, text) => {
    const lines = closed(text, 'plain')
    expect(lines).toHaveLength(2)
    for (const line of lines) {
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
      expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (INFO|WARN) /)
    }
  })

  test.each(FORGERIES)('with %s is escaped in JSON, and can be read back [F158]', (_what, text) => {
    const [line = '', failure = ''] = closed(text, 'json')
    expect(line + failure).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
    expect(JSON.parse(line)).toMatchObject({ message: 'The link ended', reason: text })
    expect(JSON.parse(failure)).toMatchObject({ err: { message: text } })
  })

  test.each(['plain', 'json'] as const)('is cut when it is long, as %s [F158]', (format) => {
    for (const line of closed('x'.repeat(1_000_000), format)) {
      // Two texts of 1,000 characters at most: the message, and where the error was made.
      expect(line.length).toBeLessThan(2_500)
      expect(line).toContain('…')
    }
  })
})

test.each(FORGERIES)('a message of ours that quotes %s is one short line [F158]', (_what, text) => {
  const quoted = printable(text.repeat(100))
  expect(quoted).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
  expect(quoted.length).toBeLessThan(200)
})
