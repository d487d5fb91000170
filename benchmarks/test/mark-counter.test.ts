import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MarkCounter } from '../src/wire/mark-counter.ts'

const MARK = 'shipped!'

test('counts a mark once, wherever the stream is cut', () => {
  const text = fc.array(fc.constantFrom(MARK, 'ship', 'ped!', 'x', '!'), { maxLength: 30 })
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 })
  fc.assert(
    fc.property(text, sizes, (parts, lengths) => {
      const stream = Buffer.from(parts.join(''))
      const counter = new MarkCounter(MARK)
      let [at, found] = [0, 0]
      for (let i = 0; at < stream.length; i++) {
        const end = at + (lengths[i % lengths.length] ?? 1)
        const chunk = Buffer.from(stream.subarray(at, end))
        found += counter.take(chunk)
        // The socket reuses its buffer.
        chunk.fill(0)
        at = end
      }
      expect(found).toBe(stream.toString().split(MARK).length - 1)
      expect(counter.count).toBe(found)
    }),
  )
})
