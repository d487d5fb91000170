import { expect, test } from 'vitest'
import { checkEntries, checkLinks, checkPage } from './references.mjs'

const FILES = { 'docs/b.md': '# A `code` heading, here\n', 'packages/core': '' }
const check = (text) =>
  checkLinks('docs/a.md', text, (path) => FILES[path]).map(({ line, message }) => [line, message])

test('links to files, folders, headings and other sites are accepted', () => {
  const text = [
    '# Top',
    '[b](b.md#a-code-heading-here) [core](../packages/core) [top](#top)',
    '[site](https://example.org/x)',
    '`[code](nowhere.md)`',
    '```md',
    '[code](nowhere.md)',
    '```',
  ]
  expect(check(text.join('\n'))).toEqual([])
})

test('a link to nothing is found with its line', () => {
  expect(check('text\n[c](c.md) and [x](b.md#x) and [y](#y)')).toEqual([
    [2, 'c.md does not exist'],
    [2, 'docs/b.md has no heading for #x'],
    [2, 'docs/a.md has no heading for #y'],
  ])
})

test('every entry point of a package stands in its README', () => {
  const item = {
    directory: 'packages/core',
    manifest: { name: '@bus/core', exports: { '.': {}, './memory': {}, './package.json': '' } },
  }
  expect(checkEntries(item, "import x from '@bus/core' and `@bus/core/memory`")).toEqual([])
  expect(checkEntries(item, '`@bus/core` alone')).toEqual([
    {
      file: 'packages/core/README.md',
      message: 'does not name the entry point @bus/core/memory',
    },
  ])
  expect(checkEntries(item, undefined)).toHaveLength(1)
})

test('a page that is not what its data gives is found', () => {
  expect(checkPage('docs/a.md', 'a', 'a')).toEqual([])
  expect(checkPage('docs/a.md', 'a', 'b')).toMatchObject([{ file: 'docs/a.md' }])
  expect(checkPage('docs/a.md', undefined, 'b')).toHaveLength(1)
})
