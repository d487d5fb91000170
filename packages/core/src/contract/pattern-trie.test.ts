import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PatternTrie } from './pattern-trie.ts'

test('a pair that goes takes along the branches that only it needed', () => {
  const trie = new PatternTrie<string>()
  trie.add('a.b.c', 'deep')
  trie.add('a.b', 'middle')
  trie.add('a.*', 'side')
  expect(trie.nodes).toBe(4)
  expect(trie.delete('a.b', 'middle')).toBe(true)
  expect(trie.nodes).toBe(4)
  expect(trie.delete('a.b.c', 'deep')).toBe(true)
  expect(trie.nodes).toBe(2)
  expect(trie.delete('a.*', 'side')).toBe(true)
  expect(trie.nodes).toBe(0)
})

test('a branch stays while another value has the same pattern', () => {
  const trie = new PatternTrie<string>()
  trie.add('a.b', 'one')
  trie.add('a.b', 'two')
  trie.delete('a.b', 'one')
  expect([trie.nodes, ...trie.match('a.b')]).toEqual([1, 'two'])
})

test('a pattern that is alone takes one node, and makes way when another one comes', () => {
  const trie = new PatternTrie<string>()
  trie.add('a.*.c.>', 'alone')
  expect(trie.nodes).toBe(1)
  expect(trie.match('a.b.c.d.e')).toEqual(['alone'])
  expect(trie.match('a.b.c')).toEqual([])
  trie.add('a.*.c', 'other')
  expect(trie.nodes).toBe(4)
  expect(trie.match('a.b.c.d.e')).toEqual(['alone'])
  expect(trie.match('a.b.c')).toEqual(['other'])
})

test('whatever was added, nothing is left once it is all deleted, in any order', () => {
  const token = fc.constantFrom('a', 'b', '*')
  const pattern = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'))
  const pairs = fc.uniqueArray(fc.tuple(pattern, fc.nat(3)), { selector: String })
  fc.assert(
    fc.property(
      pairs.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([added, deleted]) => {
        const trie = new PatternTrie<number>()
        for (const [text, value] of added) expect(trie.add(text, value)).toBe(true)
        for (const [text, value] of deleted) expect(trie.delete(text, value)).toBe(true)
        expect(trie.nodes).toBe(0)
      },
    ),
  )
})
