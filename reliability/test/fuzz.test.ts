/** What the fuzzer sends, and what it makes of the answers. */
import { expect, test } from 'vitest'
import { hubInput, INPUT_KINDS } from '../src/fuzz/hub-input.ts'
import { HubVoice } from '../src/fuzz/hub-voice.ts'
import { serverInput } from '../src/fuzz/server-input.ts'
import { closing, frame, OPCODE } from '../src/raw/frame.ts'

const SEED = 7

test('an input follows from the seed and its index alone', () => {
  const inputs = Array.from({ length: 2_000 }, (_, i) => hubInput(SEED, i))
  expect(hubInput(SEED, 1_234)).toEqual(inputs[1_234])
  expect(hubInput(SEED + 1, 1_234)).not.toEqual(inputs[1_234])
  expect(new Set(inputs.map(({ kind }) => kind))).toEqual(new Set(INPUT_KINDS))
  for (const { bytes, cut } of inputs) expect(cut).toBeLessThanOrEqual(bytes.length)
  for (const wire of ['plain', 'bus'] as const) {
    expect(serverInput(SEED, wire, 99)).toEqual(serverInput(SEED, wire, 99))
  }
})

test('inputs are seldom alike', () => {
  const lines = Array.from({ length: 2_000 }, (_, i) => hubInput(SEED, i).bytes.toString('base64'))
  expect(new Set(lines).size).toBeGreaterThan(1_900)
})

test('the answers of a hub are read, however they are cut', () => {
  const bytes = Buffer.concat([
    Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    frame({ payload: 'welcome {}', masked: false }),
    frame({ opcode: OPCODE.pong, payload: 'fence', masked: false }),
    frame({ opcode: OPCODE.close, payload: closing(4400, 'pub n'), masked: false }),
  ])
  for (const size of [1, 7, bytes.length]) {
    let words = 0
    const voice = new HubVoice(() => words++)
    for (let at = 0; at < bytes.length; at += size) voice.hear(bytes.subarray(at, at + size))
    expect(voice).toMatchObject({ isUpgraded: true, texts: 1, pongs: 1, ended: 'close 4400' })
    expect(words).toBe(Math.ceil(bytes.length / size))
  }
})

test('a refusal is how a link ends, and the first end is the one', () => {
  const voice = new HubVoice(() => {})
  voice.hear(Buffer.from('HTTP/1.1 426 Upgrade Required\r\n\r\n'))
  voice.end('cut')
  expect(voice).toMatchObject({ isUpgraded: false, ended: 'HTTP 426' })
})
