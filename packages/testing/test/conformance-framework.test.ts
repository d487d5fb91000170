/** How cases are chosen, run and judged. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { AnyCase } from '../src/conformance/case.ts'
import type { CaseOutcome, MediumFaults, Medium } from '../src/conformance/medium.ts'
import { Plan } from '../src/conformance/run/plan.ts'
import { memoryMediumForCases } from './memory-media.ts'

const CASE = { id: 'X1', level: 'MUST', title: 'is kept' } as const

async function outcomeOf(
  spec: Partial<AnyCase> & Pick<AnyCase, 'run'>,
  medium: () => Promise<Medium> = memoryMediumForCases,
): Promise<CaseOutcome | undefined> {
  const cases = [{ ...CASE, ...spec }]
  const options = {
    name: 'x',
    variant: '',
    medium,
    seed: 4711,
    timing: { expectMs: 100, quietMs: 10 },
  }
  const plan = await Plan.make(options, [{ letter: 'X', title: 'x', cases, reserved: [] }])
  for (const planned of plan.cases) if (!planned.skip) await plan.run(planned.spec)
  return plan.report().cases[0]
}

describe('a case', () => {
  test('passes when its promise is kept', async () => {
    expect(await outcomeOf({ run: async () => {} })).toMatchObject({ ...CASE, status: 'passed' })
  })

  test('fails with what it found and the seed that repeats it', async () => {
    const run = async (): Promise<void> => assert.equal(1, 2, 'one is two')
    expect(await outcomeOf({ run })).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^X1: one is two[^]*seed=4711$/),
    })
  })

  test('warns where it only should hold', async () => {
    const run = async (): Promise<void> => assert.fail('no')
    expect(await outcomeOf({ level: 'SHOULD', run })).toMatchObject({ status: 'warned' })
  })

  test('fails when it does not end', async () => {
    const run = (): Promise<void> => new Promise(() => {})
    expect(await outcomeOf({ limitMs: 20, run })).toMatchObject({
      error: expect.stringContaining('Expected the case to end within 20 ms'),
    })
  })

  test('draws the same numbers for the same seed, others than another case', async () => {
    const drawn: number[] = []
    const run: AnyCase['run'] = async ({ random }) => void drawn.push(random())
    for (const id of ['X1', 'X1', 'X2']) await outcomeOf({ id, run })
    expect(drawn[0]).toBe(drawn[1])
    expect(drawn[0]).not.toBe(drawn[2])
  })

  test('finds its transports and buses closed, and its medium stopped, when it has ended', async () => {
    const states: string[] = []
    const closed: (() => void)[] = []
    const medium = async (): Promise<Medium> => ({
      ...(await memoryMediumForCases()),
      stop: async () => {
        for (const tell of closed.splice(0)) tell()
        states.push('stopped')
      },
    })
    await outcomeOf(
      {
        run: async (world) => {
          const [transport, bus] = [world.transport(), world.bus()]
          await bus.connect()
          closed.push(() => states.push(transport.status.state, bus.status.state))
          throw new Error('half-way')
        },
      },
      medium,
    )
    expect(states).toEqual(['stopped', 'closed', 'closed', 'stopped'])
  })
})

describe('what a case leaves behind fails it', () => {
  const left = (what: RegExp | string) =>
    expect.objectContaining({ status: 'failed', error: expect.stringMatching(what) })

  test('timers', async () => {
    // Three: a timer of the runner itself may end meanwhile and make room for one.
    const timers: NodeJS.Timeout[] = []
    const run = async (): Promise<void> => {
      for (let n = 0; n < 3; n++) timers.push(setTimeout(() => {}, 60_000))
    }
    expect(await outcomeOf({ run })).toEqual(left(String.raw`\d Timeout`))
    for (const timer of timers) clearTimeout(timer)
  })

  test('a timer of its clock, even one that would not keep the process alive', async () => {
    const run: AnyCase['run'] = async ({ clock }) => clock.setTimeout(() => {}, 200).unref?.()
    expect(await outcomeOf({ run })).toEqual(left('1 timers'))
  })

  test('a rejection that nobody handles', async () => {
    const run = async (): Promise<void> => void Promise.reject(new Error('lost'))
    expect(await outcomeOf({ run })).toEqual(left('unhandled rejection: Error: lost'))
  })

  test('a warning of the process', async () => {
    const run = async (): Promise<void> => process.emitWarning('too many')
    expect(await outcomeOf({ run })).toEqual(left('warning: Warning: too many'))
  })

  test('but not what it gives back in time', async () => {
    const run = async (): Promise<void> => void sleep(20)
    expect(await outcomeOf({ run })).toMatchObject({ status: 'passed' })
  })
})

describe('a case is left out, with the reason,', () => {
  const run = async (): Promise<void> => assert.fail('it ran')

  test('where the transport does not promise it', async () => {
    const needs = { capability: 'resume', isMet: ({ resume }: { resume: boolean }) => resume }
    expect(await outcomeOf({ run, needs })).toMatchObject({
      status: 'unclaimed',
      reason: 'not promised: resume',
    })
  })

  test('where the medium cannot be broken in its way', async () => {
    const faults: MediumFaults = { cut: async () => {} }
    const medium = async (): Promise<Medium> => ({ ...(await memoryMediumForCases()), faults })
    expect(await outcomeOf({ run, faults: ['cut', 'freeze'] }, medium)).toMatchObject({
      status: 'not-exercised',
      reason: 'the medium cannot freeze',
    })
    expect(await outcomeOf({ run, faults: ['cut'] }, medium)).toMatchObject({ status: 'failed' })
  })
})
