import { createEvent, type Event } from '@bus/core'
import { expect, test } from 'vitest'
import { Registry, type RegistryEntry } from './registry.ts'

function entry(patterns: readonly string[], answers: boolean[] = []) {
  const events: Event[] = []
  const made: RegistryEntry = {
    patterns,
    sink: {
      deliver: (event) => {
        events.push(event)
        return answers.shift() ?? true
      },
    },
    settles: true,
    mustSettle: false,
    isHeld: false,
    unread: [],
  }
  return Object.assign(made, { events })
}

test('delivers each match once to each entry, however many of its patterns match', () => {
  const registry = new Registry()
  const entries = [entry(['a.b', 'a.*', '>']), entry(['a.b']), entry(['b'])]
  for (const each of entries) registry.add(each)
  registry.deliver(createEvent('a.b', 1), 7)
  expect(entries.map(({ events }) => events.length)).toEqual([1, 1, 0])
})

test('a single match gets the payload as it was parsed, others a copy each', () => {
  const registry = new Registry()
  const [first, second, third] = [entry(['a']), entry(['a']), entry(['a'])]
  const payload = { list: [1] }
  registry.add(first)
  registry.deliver(createEvent('a', payload), 0)
  expect(first.events[0]?.payload).toBe(payload)
  registry.add(second)
  registry.add(third)
  registry.deliver(createEvent('a', payload), 0)
  const payloads = [first, second, third].map(({ events }) => events.at(-1)?.payload)
  expect(payloads).toEqual([payload, payload, payload])
  expect(new Set(payloads).size).toBe(3)
})

test('counts the sinks without room, each once, until they have room or are gone', () => {
  const registry = new Registry()
  const [slow, slower] = [entry(['a'], [false, false]), entry(['a'], [false])]
  registry.add(slow)
  registry.add(slower)
  registry.deliver(createEvent('a', 1), 0)
  registry.deliver(createEvent('a', 2), 0)
  expect(registry.held).toBe(2)
  registry.release(slow)
  registry.release(slow)
  expect(registry.held).toBe(1)
  expect(registry.delete(slower)).toBe(true)
  expect(registry.delete(slower)).toBe(false)
  expect([registry.held, registry.size]).toEqual([0, 1])
})

test('does not count a sink that was removed from within its own delivery', () => {
  const registry = new Registry()
  const self: RegistryEntry = {
    patterns: ['a'],
    sink: {
      deliver: () => {
        registry.delete(self)
        return false
      },
    },
    settles: true,
    mustSettle: false,
    isHeld: false,
    unread: [],
  }
  registry.add(self)
  registry.deliver(createEvent('a', 1), 0)
  expect([registry.held, registry.size]).toEqual([0, 0])
})

test('knows each pattern, until the last subscription to it is gone', () => {
  const registry = new Registry()
  const [one, two] = [entry(['a', 'b']), entry(['b', 'c'])]
  registry.add(one)
  registry.add(two)
  expect(registry.patterns()).toEqual(['a', 'b', 'c'])
  registry.delete(one)
  expect(['a', 'b', 'c'].filter((pattern) => registry.hasPattern(pattern))).toEqual(['b', 'c'])
  registry.clear()
  expect([registry.patterns(), registry.size]).toEqual([[], 0])
  expect([registry.has(two), registry.hasPattern('b')]).toEqual([false, false])
})
