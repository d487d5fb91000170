import { describe, expect, test } from 'vitest'
import { checkErrors, errorClasses, errorCodes } from './errors.mjs'
import { checkFailures, failuresPage } from './failures.mjs'
import { checkFeatures, featuresPage, testNames } from './features.mjs'

const A = 'packages/core/src/a.test.ts'
const TESTS = {
  [A]: [
    "test('keeps the order', () => {})",
    "test.skipIf(old)('waits for room', () => {})",
    "it.each([1, 2])('holds %i events', () => {})",
    "describe('a group', () => {})",
  ].join('\n'),
}
const ORDER = { file: A, test: 'keeps the order' }
const feature = (change) => ({
  number: '1',
  group: 'Queues',
  feature: 'Queue',
  state: 'done',
  evidence: [ORDER],
  ...change,
})
const check = (...rows) =>
  checkFeatures('docs/features.json', rows, (path) => TESTS[path]).map(({ message }) => message)

describe('the table of features', () => {
  test('accepts rows whose tests exist, several of them, a note, and a plan', () => {
    expect(
      check(
        feature(),
        feature({
          number: '1a',
          evidence: [
            { file: A, test: 'waits for room' },
            { file: A, test: 'holds %i events' },
          ],
        }),
        feature({ number: '2', state: 'partly', note: 'Not yet by bytes.' }),
        feature({ number: '3', state: 'planned', evidence: undefined, note: 'Later.' }),
      ),
    ).toEqual([])
  })

  test.each([
    ['a test that is not there', { evidence: [{ file: A, test: 'keeps' }] }, 'has no test "keeps"'],
    ['the name of a group', { evidence: [{ file: A, test: 'a group' }] }, 'has no test "a group"'],
    [
      'a file that is not there',
      { evidence: [ORDER, { file: 'b.test.ts', test: 'x' }] },
      'b.test.ts does not exist',
    ],
    ['a note alone', { state: 'partly', evidence: [], note: 'By count.' }, 'has no evidence'],
    ['no evidence', { evidence: undefined }, 'has no evidence'],
    ['a plan without a note', { state: 'planned' }, 'has no note'],
    ['an unknown state', { state: 'almost' }, 'is none of done, partly, planned'],
    ['no number', { number: 'one' }, 'is no number'],
    ['no feature', { feature: '' }, 'has no group or no feature'],
    ['no group', { group: undefined }, 'has no group or no feature'],
  ])('refuses %s', (_what, change, message) => {
    const [problem, ...others] = check(feature(change))
    expect(others).toEqual([])
    expect(problem).toContain(message)
  })

  test('refuses a number that is there twice', () => {
    expect(check(feature(), feature())).toEqual(['row 1: is there twice'])
  })

  test('is written with a heading for each group, and a link to the first test', () => {
    const rows = [
      feature({ evidence: [ORDER, ORDER, { file: 'b/c.test.mjs', test: 'x' }] }),
      feature({ number: '2', group: 'Others', feature: 'a | b', state: 'partly', note: 'Later.' }),
      feature({ number: '1a', evidence: [ORDER] }),
    ]
    const page = featuresPage(rows)
    expect(page.slice(page.indexOf('## '))).toBe(
      [
        '## Queues',
        '',
        '| # | feature | state | tests |',
        '| --- | --- | --- | --- |',
        '| 1 | Queue | done | [a](../packages/core/src/a.test.ts) +1 |',
        '| 1a | Queue | done | [a](../packages/core/src/a.test.ts) |',
        '',
        '## Others',
        '',
        '| # | feature | state | tests |',
        '| --- | --- | --- | --- |',
        '| 2 | a \\| b | partly | [a](../packages/core/src/a.test.ts) Later. |',
        '',
      ].join('\n'),
    )
  })

  test('the names to choose from are those of test and it, however they are called', () => {
    expect([...testNames('a.test.ts', TESTS['packages/core/src/a.test.ts'])]).toEqual([
      'keeps the order',
      'waits for room',
      'holds %i events',
    ])
  })
})

const SOURCE = {
  path: 'errors.ts',
  text: `export type BusErrorCode = 'closed' | 'timeout'
export class TimeoutError extends BusError {
  readonly code = 'timeout'
  readonly category = 'transient'
}
export class ClosedError extends BusError {
  readonly code = 'closed'
  readonly category = 'permanent'
}
class Other extends Error {}`,
}
const facts = {
  classes: errorClasses([SOURCE]),
  codes: errorCodes([SOURCE]),
  closeCodes: [{ code: 1001, name: 'going-away', retryable: true, sentence: 'It leaves.' }],
}
const ERRORS =
  '| class | code | category | retryable | when | what to do |\n|---|---|---|---|---|---|\n'
const CLOSES = '\n\n| code | name | retryable | meaning |\n|---|---|---|---|\n'
const TIMEOUT = '| `TimeoutError` | `timeout` | transient | yes | late | again |\n'
const CLOSED = '| `ClosedError` | `closed` | permanent | no | closed | stop |\n'
const GOING = '| 1001 | `going-away` | yes | It leaves. |\n'
const errors = (text, change = {}) =>
  checkErrors('docs/errors.md', text, { ...facts, ...change }).map(({ message }) => message)

describe('the document of errors', () => {
  test('agrees with the sources', () => {
    expect(errors(ERRORS + TIMEOUT + CLOSED + CLOSES + GOING)).toEqual([])
  })

  test('a missing class, a missing close code and a row too many are found', () => {
    const old = TIMEOUT.replace('TimeoutError', 'OldError')
    expect(errors(ERRORS + TIMEOUT + old)).toEqual([
      'OldError is not in the sources',
      'ClosedError is missing',
      '1001 is missing',
    ])
  })

  test('a wrong cell and an empty one are found', () => {
    const wrong = CLOSED.replace('| no |', '| yes |').replace('| stop |', '| |')
    const going = GOING.replace('leaves', 'stays')
    expect(errors(ERRORS + TIMEOUT + wrong + CLOSES + going)).toEqual([
      'ClosedError: retryable should be no, is "yes"',
      'ClosedError: what to do should be filled in, is ""',
      '1001: meaning should be It leaves., is "It stays."',
    ])
  })

  test('a code without a class is found', () => {
    const codes = [...facts.codes, 'lost']
    expect(errors(ERRORS + TIMEOUT + CLOSED + CLOSES + GOING, { codes })).toEqual([
      'the code lost has no class',
    ])
  })
})

describe('the catalogue of failures', () => {
  const file = {
    path: 'packages/a/test/x.test.ts',
    text: "test('finds it [F1]', () => {})\ndescribe.each([1])(`all %i [F2, F3]`, () => {})",
  }
  const failure = (number, change) => ({
    number,
    group: 'Links',
    failure: 'a',
    behaviour: 'b',
    tests: [file.path],
    ...change,
  })
  const catalogue = (...rows) =>
    checkFailures('docs/failures.json', rows, [file]).map(({ message }) => message)
  const sound = [failure('F1'), failure('F2'), failure('F3')]

  test('accepts rows whose tests name them, and a reason in the place of a test', () => {
    const uncovered = failure('F4', { tests: undefined, notCovered: 'needs two machines' })
    expect(catalogue(...sound, uncovered)).toEqual([])
    expect(failuresPage([...sound, uncovered])).toMatch(
      /\n\| F3 \| a \| b \| \[x\]\(\.\.\/packages\/a\/test\/x\.test\.ts\) \|\n\| F4 \| a \| b \| not covered: needs two machines \|\n$/,
    )
  })

  test.each([
    ['a test that does not name it', [...sound, failure('F4')], 'does not name it'],
    [
      'a reason although a test names it',
      [sound[0], sound[1], failure('F3', { tests: [], notCovered: 'x' })],
      `F3: leaves out ${file.path}`,
    ],
    ['no reason', [...sound, failure('F4', { tests: [] })], 'gives no reason'],
    ['an empty cell', [sound[0], sound[1], failure('F3', { behaviour: '' })], 'is not filled in'],
    ['a hole', [sound[0], sound[2]], 'is at the place of F2'],
    ['a name without a row', sound.slice(0, 2), 'names F3'],
  ])('refuses %s', (_what, rows, message) => {
    expect(catalogue(...rows).join()).toContain(message)
  })
})
