import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ResentFilter } from './cursor.ts'

test('remembers exactly the last events by id, type, timestamp and source, whatever their ids look like', () => {
  const id = fc.oneof(
    fc.nat(9).map(String),
    fc.nat(5).map((n) => `long-${'x'.repeat(60)}-${n}`),
  )
  const source = fc.constantFrom(undefined, 'a', 'b')
  const [type, timestamp] = [fc.constantFrom('a', 'b.c'), fc.constantFrom(1, 2)]
  const step = fc.record({ ask: fc.boolean(), source, id, type, timestamp })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const filter = new ResentFilter(8)
      const last: string[] = []
      const answers: [boolean, boolean][] = []
      for (const { ask, source: from, ...identity } of steps) {
        const metadata = {
          timestamp: identity.timestamp,
          ...(from === undefined ? {} : { source: from }),
        }
        const event = { id: identity.id, type: identity.type, metadata }
        const key = JSON.stringify(event)
        if (ask) answers.push([filter.has(event), last.includes(key)])
        else {
          filter.add(event)
          last.push(key)
          if (last.length > 8) last.shift()
        }
      }
      expect(answers.map(([said]) => said)).toEqual(answers.map(([, is]) => is))
    }),
    { numRuns: 3_000 },
  )
})
