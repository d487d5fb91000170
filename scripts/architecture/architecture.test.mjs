import { expect, test } from 'vitest'
import { ARCHITECTURE } from './architecture.mjs'

const ours = Object.keys(ARCHITECTURE)

/** The packages of ours that a package reaches over imports. */
function reachedFrom(name) {
  const reached = new Set()
  const queue = [name]
  for (const from of queue) {
    for (const target of ARCHITECTURE[from].imports) {
      const to = target.replace(/^@bus\//, '')
      if (to === target || reached.has(to)) continue
      reached.add(to)
      queue.push(to)
    }
  }
  return reached
}

test.each(ours)('%s does not import itself through other packages', (name) => {
  expect(reachedFrom(name)).not.toContain(name)
})

test.each(ours.filter((name) => name !== 'core'))('%s may import core', (name) => {
  expect(ARCHITECTURE[name].imports).toContain('@bus/core')
})

test('core imports no package of ours, and none imports the command line', () => {
  expect([...reachedFrom('core')]).toEqual([])
  expect(ours.filter((name) => reachedFrom(name).has('cli'))).toEqual([])
})

test('every package of ours that is imported has an entry', () => {
  for (const name of ours) expect(ours).toEqual(expect.arrayContaining([...reachedFrom(name)]))
})

test('a folder has one layer, and an exception names two folders that have one', () => {
  for (const { layers = {}, exceptions = [] } of Object.values(ARCHITECTURE)) {
    const folders = Object.entries(layers).flatMap(([parent, rows]) =>
      rows.flat().map((folder) => (parent === '.' ? folder : `${parent}/${folder}`)),
    )
    expect(folders).toEqual([...new Set(folders)])
    expect(folders).toEqual(
      expect.arrayContaining(exceptions.flatMap((item) => item.split(' -> '))),
    )
  }
})
