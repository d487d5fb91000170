import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFacts } from '../source/source-file.mjs'
import { cycles } from './imports.mjs'

/** A package whose files import each other as the edges say, by value or by type. */
function packageOf(edges, size) {
  const sources = Array.from({ length: size }, (_file, index) => {
    const imports = edges
      .filter(({ from }) => from === index)
      .map(({ to, typed }) => `import ${typed ? 'type ' : ''}{ x } from './f${to}.ts'`)
    return readFacts(`packages/core/src/f${index}.ts`, `${imports.join('\n')}\n`)
  })
  return { sources }
}

/** Whether some file reaches itself, by following every edge as often as there are files. */
function hasCycle(edges, size) {
  const reached = new Set(edges.map(({ from, to }) => `${from} ${to}`))
  for (let via = 0; via < size; via++) {
    for (let from = 0; from < size; from++) {
      for (let to = 0; to < size; to++) {
        if (reached.has(`${from} ${via}`) && reached.has(`${via} ${to}`))
          reached.add(`${from} ${to}`)
      }
    }
  }
  return Array.from({ length: size }, (_file, index) => `${index} ${index}`).some((pair) =>
    reached.has(pair),
  )
}

const SIZE = 6
const file = fc.nat({ max: SIZE - 1 })
const graph = fc.array(fc.record({ from: file, to: file, typed: fc.boolean() }), { maxLength: 9 })

test('a cycle is reported exactly when some file reaches itself', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      expect(cycles(packageOf(edges, SIZE)).length > 0).toBe(hasCycle(edges, SIZE))
    }),
  )
})

test('a reported cycle is a way that the imports really go', () => {
  fc.assert(
    fc.property(graph, (edges) => {
      const steps = new Set(edges.map(({ from, to }) => `f${from}.ts f${to}.ts`))
      for (const { message } of cycles(packageOf(edges, SIZE))) {
        const way = message.replace('import cycle: ', '').replaceAll('packages/core/src/', '')
        const files = way.split(' → ')
        expect(files.at(0)).toBe(files.at(-1))
        for (const [index, from] of files.slice(0, -1).entries()) {
          expect(steps.has(`${from} ${files[index + 1]}`)).toBe(true)
        }
      }
    }),
  )
})
