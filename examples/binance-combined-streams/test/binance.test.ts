import { readFileSync } from 'node:fs'
import { createBus, createEvent, type Event } from '@bus/core'
import { expect, test } from 'vitest'
import { binance, combined } from '../src/binance.ts'
import { MockBinance } from '../src/mock-binance.ts'
import { streamOf, typeOf } from '../src/names.ts'
import { run } from '../src/run.ts'

/** The output that the README shows. */
function documented(): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  return (/```text\n([^`]+)\n```/.exec(readme)?.[1] ?? '').split('\n')
}

test('streams by URL and by request, and a broken link, as the README shows them', async () => {
  const lines: string[] = []
  await run((line) => lines.push(line))
  expect(lines).toEqual(documented())
})

test('the names of streams become types and streams again', () => {
  for (const [stream, type] of [
    ['btcusdt@trade', 'btcusdt.trade'],
    ['btcusdt@depth5@100ms', 'btcusdt.depth5.100ms'],
    ['!ticker@arr', 'all.ticker.arr'],
  ] as const) {
    expect(typeOf(stream)).toBe(type)
    expect(streamOf(type)).toBe(stream)
  }
})

test('a stream is ended with its last subscription, and one of the URL never', async () => {
  await using mock = await MockBinance.start()
  const streams = ['btcusdt@trade']
  const { transport } = binance(...streams).open({ url: combined(mock.url, streams) })
  await using bus = createBus({ transport })
  const got: Event[] = []
  const fixed = await bus.subscribe('btcusdt.trade', (event) => void got.push(event))
  const asked = await bus.subscribe(['ethusdt.trade', 'ethusdt.ticker'], () => {})
  mock.trade('btcusdt', '1.00')
  await expect.poll(() => got).toMatchObject([{ type: 'btcusdt.trade', payload: { p: '1.00' } }])
  await asked.unsubscribe()
  await fixed.unsubscribe()
  expect(mock.requests).toEqual([
    'SUBSCRIBE ethusdt@trade ethusdt@ticker',
    'UNSUBSCRIBE ethusdt@trade ethusdt@ticker',
  ])
})

test('takes no events, and what is none goes to the dead letters', async () => {
  await using mock = await MockBinance.start()
  const { transport } = binance().open({ url: combined(mock.url, ['btcusdt@trade']) })
  await using bus = createBus({ transport })
  await bus.connect()
  await expect(bus.publish(createEvent('btcusdt.trade', 1))).rejects.toMatchObject({
    code: 'unsupported',
    outcome: 'not-sent',
  })
  const letters: string[] = []
  bus.on('undeliverable', ({ reason, raw }) => letters.push(`${reason} ${String(raw)}`))
  mock.server.inject('{"e":"trade"}')
  await expect.poll(() => letters).toEqual(['undecodable {"e":"trade"}'])
})
