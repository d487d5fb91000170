import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wireDefaults } from '../../../protocol/bus-v1/limits.ts'
import { readWelcome, type Welcome } from '../../../protocol/bus-v1/welcome.ts'
import { fitWelcome, inMessages } from './greeting.ts'

const welcome = {
  sid: 'sid',
  resumed: true,
  last: 1_000,
  epoch: 'epoch',
  head: 12,
  limits: wireDefaults,
  heartbeatMs: 25_000,
  subs: [],
  gaps: [],
} as const

function read(text: string): Welcome {
  const found = readWelcome(text.slice('welcome '.length))
  if (typeof found === 'string') throw new Error(found)
  return found
}

describe('lines in messages', () => {
  it('stay whole and in order, and only a line that is too long by itself makes a message too long', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 20 }), (all, max) => {
        const messages = [...inMessages(all.join('\n'), max)]
        expect(messages.flatMap((message) => message.split('\n'))).toEqual(all)
        for (const message of messages) {
          expect(message.length <= max || !message.includes('\n')).toBe(true)
        }
      }),
    )
  })
})

describe('a welcome', () => {
  const refused = Array.from({ length: 100 }, (_, i) => [901 + i, 'size'] as const)

  it('names every refusal where there is room', () => {
    const { text, later } = fitWelcome({ ...welcome, refused }, 1_000_000)
    expect(read(text)).toEqual({ ...welcome, refused })
    expect(later).toEqual([])
  })

  it('stays within the message, confirms nothing that it does not name, and leaves the rest for later', () => {
    const { text, later } = fitWelcome({ ...welcome, refused }, 600)
    const { last, refused: named } = read(text)
    expect(text.length).toBeLessThanOrEqual(600)
    expect(named.length).toBeGreaterThan(5)
    expect([...named, ...later]).toEqual(refused)
    expect(last).toBe(900 + named.length)
  })
})
