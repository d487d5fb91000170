import { expect, test } from 'vitest'
import { topSelfTimes } from '../src/report/cpu-profile.ts'

function node(id: number, functionName: string, url = '', lineNumber = -1): unknown {
  return { id, callFrame: { functionName, url, lineNumber } }
}

test('a function has the time of all its own samples, wherever it was called from', () => {
  const hot = 'file:///home/me/packages/core/dist/hot.js'
  const json = JSON.stringify({
    nodes: [node(1, '(idle)'), node(2, 'hot', hot, 9), node(3, 'hot', hot, 9), node(4, '', hot, 1)],
    samples: [1, 2, 3, 4],
    timeDeltas: [1_000, 3_000, 4_000, 2_000],
  })
  expect(topSelfTimes(json, 2)).toEqual([
    { where: 'hot core/dist/hot.js:10', share: 0.7, ms: 7 },
    { where: '(anonymous) core/dist/hot.js:2', share: 0.2, ms: 2 },
  ])
})
