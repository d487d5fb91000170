import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PatternTrie, hashToken } from './pattern-index.ts'

/** Two tokens with the same hash under the seed that {@link constantRandom} gives. */
const [HOLDER, CLASH] = clashingTokens()
const constantRandom = () => 0

function clashingTokens(): readonly [string, string] {
  const known = new Map<number, string>()
  for (let i = 0; ; i++) {
    const token = `t${i}`
    const hash = hashToken(token, 0, 0)
    const other = known.get(hash)
    if (other !== undefined) return [other, token]
    known.set(hash, token)
  }
}

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

test('two tokens with the same hash are kept apart, also once the first is gone', () => {
  const trie = new PatternTrie<string>(constantRandom)
  trie.add(`${HOLDER}.*`, 'first')
  expect(trie.match(`${CLASH}.a`)).toEqual([])
  expect(trie.delete(`${CLASH}.*`, 'first')).toBe(false)
  trie.add(`${CLASH}.*`, 'second')
  trie.add(`${CLASH}.*.c`, 'third')
  expect(trie.match(`${HOLDER}.a`)).toEqual(['first'])
  expect(trie.match(`${CLASH}.a`)).toEqual(['second'])
  expect(trie.delete(`${HOLDER}.*`, 'first')).toBe(true)
  expect(trie.match(`${HOLDER}.a`)).toEqual([])
  expect(trie.match(`${CLASH}.a`)).toEqual(['second'])
  trie.add(`${HOLDER}.>`, 'fourth')
  expect(trie.match(`${HOLDER}.a.c`)).toEqual(['fourth'])
  expect(trie.match(`${CLASH}.a.c`)).toEqual(['third'])
  for (const [text, value] of [
    [`${CLASH}.*`, 'second'],
    [`${CLASH}.*.c`, 'third'],
    [`${HOLDER}.>`, 'fourth'],
  ] as const)
    expect(trie.delete(text, value)).toBe(true)
  expect(trie.nodes).toBe(0)
})

test('any history gives the same matches whether or not the tokens have the same hash', () => {
  const tokens = fc.array(fc.constantFrom('x', 'y', '*'), { minLength: 1, maxLength: 4 })
  const change = fc.record({ add: fc.boolean(), tokens, rest: fc.boolean(), value: fc.nat(3) })
  const clashing = (text: string) => text.replaceAll('x', HOLDER).replaceAll('y', CLASH)
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const plain = new PatternTrie<number>(constantRandom)
      const clash = new PatternTrie<number>(constantRandom)
      for (const { add, tokens: list, rest, value } of changes) {
        const text = [...list, ...(rest ? ['>'] : [])].join('.')
        const type = list.join('.').replaceAll('*', 'x')
        const done = add ? plain.add(text, value) : plain.delete(text, value)
        expect(add ? clash.add(clashing(text), value) : clash.delete(clashing(text), value)).toBe(
          done,
        )
        expect(clash.match(clashing(type))).toEqual(plain.match(type))
        expect(clash.nodes).toBe(plain.nodes)
      }
    }),
  )
})

test('the crowd of tokens with one hash leaves nothing behind, in any order of going', () => {
  for (const order of [
    [HOLDER, CLASH],
    [CLASH, HOLDER],
  ]) {
    const trie = new PatternTrie<string>(constantRandom)
    for (const token of [HOLDER, CLASH]) trie.add(`a.${token}.b`, token)
    for (const token of order) expect(trie.delete(`a.${token}.b`, token)).toBe(true)
    expect(trie.nodes).toBe(0)
  }
})
