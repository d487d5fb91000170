import { expect, test } from 'vitest'
import { root } from '../source/workspace.mjs'
import { compileExamples, documentExamples, problemsOf, sourceExamples } from './examples.mjs'

const document = ['# Title', '', '```ts', 'const a = 1', 'a.b', '```', '', '```sh', 'ls', '```', '']

test('finds the ts blocks of a document with the line on which their code begins', () => {
  expect(documentExamples('a.md', document.join('\n'))).toEqual([
    { file: 'a.md', line: 4, text: 'const a = 1\na.b', skip: false },
  ])
})

test('a block marked ignore is found and skipped', () => {
  expect(documentExamples('a.md', '```ts ignore\n…\n```')).toMatchObject([{ skip: true }])
})

test('an indented block loses its indentation, not its nested one', () => {
  expect(
    documentExamples('a.md', '- x\n\n  ```ts\n  if (a) {\n    b()\n  }\n  ```\n'),
  ).toMatchObject([{ text: 'if (a) {\n  b()\n}' }])
})

test('finds examples in TSDoc, at their line of the source, and not in other comments', () => {
  const source = [
    '/* ```ts',
    ' no',
    '``` */',
    'export class A {',
    '  /**',
    '   * Runs.',
    '   *',
    '   * ```ts',
    '   * run({',
    '   *   now: true,',
    '   * })',
    '   * ```',
    '   */',
    '  run() {}',
    '}',
  ].join('\n')
  expect(sourceExamples('a.ts', source)).toEqual([
    { file: 'a.ts', line: 9, text: 'run({\n  now: true,\n})', skip: false },
  ])
})

test('an example that does not compile is reported at its place in the document', () => {
  const examples = documentExamples('a.md', `\`\`\`ts\nexport {}\n\`\`\`\n${document.join('\n')}`)
  const [problem, ...others] = compileExamples(root, examples)
  expect(others).toEqual([])
  expect(problem).toMatchObject({ file: 'a.md', line: 8 })
  expect(problem.message).toContain("Property 'b' does not exist")
})

test('a complaint that belongs to no example is not lost', () => {
  expect(problemsOf('error TS5023: Unknown option\n', [])).toEqual([
    { file: 'tsc', message: 'error TS5023: Unknown option' },
  ])
})
