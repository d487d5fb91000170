import { expect, test } from 'vitest'
import { parseArguments } from '../src/arguments.ts'

test('measures only ours, fully, where nothing else is asked for', () => {
  expect(parseArguments([])).toEqual({
    peers: false,
    size: 'full',
    help: false,
    plot: false,
    plotTo: undefined,
    json: undefined,
    rounds: undefined,
    only: undefined,
    contenders: undefined,
  })
})

test('takes every option', () => {
  const flags = ['--peers', '--quick', '--plot-to', 'plots', '--json', 'a.json', '--rounds', '7']
  const lists = ['--only', 'latency,fan-out', '--contenders', 'ws']
  expect(parseArguments([...flags, ...lists])).toEqual({
    peers: true,
    size: 'quick',
    help: false,
    plot: true,
    plotTo: 'plots',
    json: 'a.json',
    rounds: 7,
    only: ['latency', 'fan-out'],
    contenders: ['ws'],
  })
})

test.each([
  [['--only', 'speed'], /Expected --only to name any of throughput, .*, got speed/],
  [['--contenders', 'kafka'], /Expected --contenders to name any of bus-plain, .*, got kafka/],
  [['--rounds', '0'], 'Expected --rounds to be an integer ≥ 1, got 0'],
  [['--fast'], /--fast/],
])('refuses %j', (argv, message) => {
  expect(() => parseArguments(argv)).toThrow(message)
})
