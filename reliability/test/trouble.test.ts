/** What breaks the links, and how it is counted. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import fc from 'fast-check'
import { seededRandom, type CutOptions } from '@bus/testing/chaos'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Disturber } from '../src/trouble/disturber.ts'
import { FrameBoundary } from '../src/trouble/frame-boundary.ts'
import type { Line } from '../src/trouble/line.ts'
import { Lines } from '../src/trouble/lines.ts'

const HANDSHAKE = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n')

/** A frame with so much payload, as a client or a server would send it. */
function frame(length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0
  const head =
    length < 126
      ? [0x81, mask | length]
      : length < 65_536
        ? [0x81, mask | 126, length >> 8, length & 0xff]
        : [
            0x81,
            mask | 127,
            0,
            0,
            0,
            0,
            length >>> 24,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ]
  return Buffer.concat([Buffer.from(head), Buffer.alloc((masked ? 4 : 0) + length)])
}

describe('the boundary of frames', () => {
  test('is known wherever the bytes are cut', () => {
    const frames = fc.array(
      fc.record({ length: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536), masked: fc.boolean() }),
      { minLength: 1, maxLength: 4 },
    )
    fc.assert(
      fc.property(frames, fc.nat(), fc.nat(), (list, cut, step) => {
        const parts = list.map(({ length, masked }) => frame(length, masked))
        const bytes = Buffer.concat([HANDSHAKE, ...parts])
        const ends = new Set<number>([HANDSHAKE.length])
        let end = HANDSHAKE.length
        for (const part of parts) ends.add((end += part.length))
        const upTo = cut % (bytes.length + 1)
        const size = 1 + (step % 1_000)
        const boundary = new FrameBoundary()
        for (let at = 0; at < upTo; at += size)
          boundary.take(bytes.subarray(at, Math.min(at + size, upTo)))
        expect(boundary.isOpen).toBe(upTo >= HANDSHAKE.length)
        expect(boundary.isMidFrame).toBe(upTo > HANDSHAKE.length && !ends.has(upTo))
      }),
    )
  })
})

/** A line without a link, which notes what is done to it. */
function fakeLine(deeds: string[]): Line {
  const line = {
    busy: 'upstream',
    isUp: true,
    tear: (how: string) => deeds.push(how),
    cutAfter: (bytes: number, { direction, how }: CutOptions) =>
      deeds.push(`cut ${bytes} ${direction} ${how}`),
    giveUpCut: () => deeds.push('give up'),
    network: { setConditions: () => {}, hole: () => 0 },
  }
  return line as unknown as Line
}

describe('the disturber', () => {
  const run = (seed: number, steps = 1_000): string[] => {
    const deeds: string[] = []
    const disturber = new Disturber([fakeLine(deeds)], seededRandom(seed), 50, 1_000)
    for (let at = 0; at <= steps; at++) disturber.at(at)
    return deeds
  }

  test('makes every trouble that was planned, and gives up no cut too early', () => {
    const deeds = run(1)
    expect(deeds.filter((deed) => deed !== 'give up')).toHaveLength(50)
    expect(deeds.some((deed) => deed.startsWith('cut'))).toBe(true)
    expect(deeds.at(-1)).toBe('give up')
    expect(run(1, 500).filter((deed) => deed !== 'give up')).toHaveLength(25)
  })

  test('does the same again with the same seed', () => {
    expect(run(2)).toEqual(run(2))
    expect(run(3)).not.toEqual(run(2))
  })

  test('waits for a link that can be broken, and holds up the publishers meanwhile', () => {
    const deeds: string[] = []
    const line = fakeLine(deeds) as { isUp: boolean } & Line
    line.isUp = false
    const disturber = new Disturber([line], seededRandom(1), 50, 1_000)
    disturber.at(500)
    expect(deeds).toEqual([])
    expect(disturber.isBehind).toBe(true)
    line.isUp = true
    disturber.at(500)
    expect(disturber).toMatchObject({ isBehind: false, done: 25 })
  })
})

/** A server that answers the first bytes of every connection with these. */
async function answering(bytes: Buffer): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write(bytes))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

test('a cut within a frame is counted as one, a cut behind it is not', async () => {
  const port = await answering(HANDSHAKE)
  await using lines = await Lines.start(port, 1, ['downstream'])
  const [line] = lines.all
  if (line === undefined) throw new Error('There is no line')
  const { port: at } = new URL(lines.url(0))
  for (const bytes of [5, 2]) {
    const dialed = connect({ port: Number(at), host: '127.0.0.1' })
    dialed.on('error', () => {})
    dialed.write(HANDSHAKE)
    const gone = new Promise((resolve) => dialed.once('close', resolve))
    await new Promise((resolve) => dialed.once('data', resolve))
    line.cutAfter(bytes, { direction: 'upstream', how: 'reset' })
    dialed.write(Buffer.concat([frame(0, false), frame(10, false)]))
    await gone
  }
  expect(line.isUp).toBe(false)
  expect(lines.tears).toMatchObject({ disconnects: 2, cut: 2, midFrame: 1 })
})
