import { expect, test } from 'vitest'
import { readArguments } from '../src/arguments.ts'

test('publishes ten thousand GitHub deliveries where nothing else is asked for', () => {
  const source = { kind: 'github', count: 10_000 }
  expect(readArguments([])).toEqual({ kind: 'run', source, json: false })
})

test('takes the number of events, and JSON as the way to report', () => {
  const source = { kind: 'github', count: 250 }
  expect(readArguments(['--events', '250', '--json'])).toEqual({ kind: 'run', source, json: true })
})

test('takes a file', () => {
  const source = { kind: 'file', path: 'events.jsonl' }
  expect(readArguments(['--file', 'events.jsonl'])).toEqual({ kind: 'run', source, json: false })
})

test.each([['--help'], ['-h']])('%s asks for help', (flag) => {
  expect(readArguments([flag])).toEqual({ kind: 'help' })
})

test.each([
  [['--loud'], '--loud'],
  [['events.jsonl'], 'events.jsonl'],
  [['--events', '0'], 'to be an integer ≥ 1, got "0"'],
  [['--events', '1e3'], 'to be an integer ≥ 1, got "1e3"'],
  [['--events', ''], 'to be an integer ≥ 1, got ""'],
  [['--events'], '--events'],
  [['--file', ''], '--file'],
  [['--file', 'events.jsonl', '--events', '5'], '--file are published once'],
])('refuses %j and says why', (args, message) => {
  const command = readArguments(args)
  expect(command).toMatchObject({ kind: 'mistake', message: expect.stringContaining(message) })
})
