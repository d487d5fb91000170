import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { DecodeError } from '@bus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inflate, type Compression } from './inflate.ts'

const LIMIT = 1_000_000
const CASES: [string, Compression, (bytes: Uint8Array) => Uint8Array][] = [
  ['gzip', 'gzip', gzipSync],
  ['deflate with the zlib header', 'deflate', deflateSync],
  ['deflate without a header', 'deflate', deflateRawSync],
]

describe('inflating', () => {
  test.each(CASES)('%s gives the bytes that were compressed', async (_name, compression, pack) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        const inflated = await inflate(pack(bytes), compression, LIMIT)
        return Buffer.from(bytes).equals(inflated)
      }),
      { numRuns: 50 },
    )
  })

  test.each(CASES)('%s makes no more than the limit', async (_name, compression, pack) => {
    const packed = pack(Buffer.alloc(5_000))
    await expect(inflate(packed, compression, 5_000)).resolves.toHaveLength(5_000)
    const beyond = inflate(packed, compression, 4_999)
    await expect(beyond).rejects.toThrow(DecodeError)
    await expect(beyond).rejects.toThrow(/inflates to more than 4999 bytes/)
  })

  test.each(CASES)('%s that is cut short is refused', async (_name, compression, pack) => {
    const packed = pack(Buffer.from('a message of some length'))
    const cut = inflate(packed.subarray(0, packed.length - 5), compression, LIMIT)
    await expect(cut).rejects.toThrow(`is not valid ${compression}`)
    await expect(cut).rejects.toMatchObject({ code: 'decode', retryable: false })
  })

  test.each(['gzip', 'deflate'] as const)('%s refuses what is none, and nothing', async (name) => {
    await expect(inflate(Buffer.from('{"plain":true}'), name, LIMIT)).rejects.toThrow(DecodeError)
    await expect(inflate(new Uint8Array(0), name, LIMIT)).rejects.toThrow(DecodeError)
  })
})
