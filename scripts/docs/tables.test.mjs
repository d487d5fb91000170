import { describe, expect, test } from 'vitest'
import { checkErrors, errorClasses, errorCodes } from './errors.mjs'
import { checkFailures } from './failures.mjs'
import { checkFeatures, testNames } from './features.mjs'

const TESTS = {
  'packages/core/src/a.test.ts': [
    "test('keeps the order', () => {})",
    "test.skipIf(old)('waits for room', () => {})",
    "it.each([1, 2])('holds %i events', () => {})",
    "describe('a group', () => {})",
  ].join('\n'),
}
const HEAD = '| # | feature | state | evidence |\n|---|---|---|---|\n'
const LINK = '[a.test.ts](../packages/core/src/a.test.ts)'
const check = (...rows) =>
  checkFeatures('docs/features.md', HEAD + rows.join('\n'), (path) => TESTS[path]).map(
    ({ line, message }) => `${line}: ${message}`,
  )

describe('the table of features', () => {
  test('accepts rows whose tests exist, several of them, a remark, and a plan', () => {
    expect(
      check(
        `| 1 | Queue | done | ${LINK} "keeps the order" |`,
        `| 1a | Queue | done | ${LINK} "waits for room"<br>${LINK} "holds %i events" |`,
        `| 2 | Queue | partly | ${LINK} "keeps the order"<br>Not yet by bytes. |`,
        '| 3 | Queue | planned | With the next transport. |',
      ),
    ).toEqual([])
  })

  test.each([
    ['a test that is not there', `| 1 | Q | done | ${LINK} "keeps" |`, 'has no test "keeps"'],
    ['the name of a group', `| 1 | Q | done | ${LINK} "a group" |`, 'has no test "a group"'],
    [
      'a file that is not there',
      '| 1 | Q | done | [b.ts](../b.ts) "x" |',
      '../b.ts does not exist',
    ],
    ['a label of another file', '| 1 | Q | done | [b.ts](../a.ts) "x" |', 'leads to another file'],
    ['prose as evidence', '| 1 | Q | done | see the tests |', 'is not of the form'],
    ['a remark alone', '| 1 | Q | partly | Only by count. |', 'names no test'],
    ['no evidence', '| 1 | Q | done | |', 'has no evidence'],
    ['an unknown state', '| 1 | Q | almost | x |', 'is none of done, partly, planned'],
    ['no number', '| one | Q | planned | x |', 'is not a number'],
    ['too few cells', '| 1 | Q | planned |', 'has 3 cells, not 4'],
  ])('refuses %s', (_what, row, message) => {
    const [problem, ...others] = check(row)
    expect(others).toEqual([])
    expect(problem).toMatch(/^3: /)
    expect(problem).toContain(message)
  })

  test('refuses a number that stands twice, and a document without the table', () => {
    expect(check('| 1 | Q | planned | x |', '| 1 | Q | planned | x |')).toEqual([
      '4: row 1 stands twice',
    ])
    expect(checkFeatures('docs/features.md', '', () => '')).toHaveLength(1)
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
  const X = '[x.test.ts](../packages/a/test/x.test.ts)'
  const catalogue = (...rows) =>
    checkFailures(
      'docs/reliability.md',
      `| # | failure | behaviour | tests |\n|---|---|---|---|\n${rows.join('\n')}`,
      [file],
    ).map(({ message }) => message)
  const sound = [`| F1 | a | b | ${X} |`, `| F2 | a | b | ${X} |`, `| F3 | a | b | ${X} |`]

  test('accepts rows whose tests name them, and a reason in the place of a test', () => {
    expect(catalogue(...sound, '| F4 | a | b | not covered: needs two machines |')).toEqual([])
  })

  test.each([
    ['a test that does not name it', [...sound, `| F4 | a | b | ${X} |`], 'does not name F4'],
    [
      'a reason although a test names it',
      [sound[0], sound[1], '| F3 | a | b | not covered: x |'],
      'F3 does not link',
    ],
    ['no reason', [...sound, '| F4 | a | b | later |'], 'gives no reason'],
    ['a hole', [sound[0], sound[2]], 'F2 belongs'],
    ['a name without a row', sound.slice(0, 2), 'names F3'],
  ])('refuses %s', (_what, rows, message) => {
    expect(catalogue(...rows).join()).toContain(message)
  })
})
