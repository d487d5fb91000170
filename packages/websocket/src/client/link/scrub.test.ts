import { describe, expect, test } from 'vitest'
import { scrubber } from '../options/endpoint.ts'

describe('scrubbing', () => {
  test('hides header values, whole and word by word', () => {
    const scrub = scrubber('ws://h/', { authorization: 'Bearer abcdef-123', cookie: 'sid=987654' })
    expect(scrub('Bearer abcdef-123 and abcdef-123 of 987654')).toBe(
      '[redacted] and [redacted] of [redacted]',
    )
  })

  test('hides query values as they are written and as they are meant', () => {
    const scrub = scrubber('ws://h/?token=se%20cr%20et', {})
    expect(scrub('/?token=se%20cr%20et means se cr et')).toBe('/?token=[redacted] means [redacted]')
  })

  test('hides a secret before a part of it', () => {
    const scrub = scrubber('ws://h/', { a: 'abcdef', b: 'abcdef-ghijkl' })
    expect(scrub('abcdef-ghijkl')).toBe('[redacted]')
  })

  test('leaves short texts alone, which would be found everywhere', () => {
    expect(scrubber('ws://h/?v=1', { 'x-a': 'b' })('1 b')).toBe('1 b')
  })
})
