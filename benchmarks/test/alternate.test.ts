import { expect, test } from 'vitest'
import { CATALOGUE } from '../src/contenders/catalogue.ts'
import { alternate, casesOf } from '../src/run/alternate.ts'
import { whyMissing, type Plan } from '../src/run/plan.ts'

const lines: string[] = []
const plan: Plan = {
  size: 'smoke',
  rounds: 3,
  entries: [],
  reference: () => undefined,
  progress: (line) => lines.push(line),
}

test('contenders take turns, and each round starts with another one', async () => {
  const order: string[] = []
  const cases = ['a', 'b', 'c'].map((name) => ({
    name,
    note: '',
    run: async () => await Promise.resolve({ position: order.push(name) }),
  }))
  const rows = await alternate(cases, plan, 'question')
  expect(order.join('')).toBe('abcbcacab')
  expect(rows.map(({ samples }) => samples.length)).toEqual([3, 3, 3])
})

test('a contender that fails is out, and its row says why', async () => {
  let runs = 0
  const fails = async (): Promise<never> => {
    runs++
    return await Promise.reject(new Error('lost 1 event'))
  }
  const works = async (): Promise<{ rate: number }> => await Promise.resolve({ rate: 1 })
  const cases = [
    { name: 'bad', note: '', run: fails },
    { name: 'good', note: '', run: works },
  ]
  const [bad, good] = await alternate(cases, plan, 'question')
  expect(runs).toBe(1)
  expect(bad).toMatchObject({ problem: 'failed: lost 1 event', samples: [] })
  expect(good?.samples).toHaveLength(3)
  expect(lines).toContain('question · round 1/3 · bad: failed: lost 1 event')
})

test('a contender whose server is not installed is reported as missing and not run', async () => {
  const [entry] = CATALOGUE
  if (entry === undefined) throw new Error('The catalogue is empty')
  const absent = { ...entry, needs: 'no-such-server' }
  const run = async (): Promise<never> => await Promise.reject(new Error('was run'))
  const [row] = await alternate(casesOf([absent], run), plan, 'question')
  expect(row?.problem).toBe('missing: no-such-server is not installed')
  expect(whyMissing(entry)).toBeUndefined()
})
