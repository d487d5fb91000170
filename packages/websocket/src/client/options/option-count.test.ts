import { expect, test } from 'vitest'
import { optionTable, resolveOptions, type OptionRow } from './resolve-options.ts'

/** The names of all options, those of groups with their path. */
function leaves(table: object, path = ''): string[] {
  return Object.entries(table as Record<string, OptionRow<unknown>>).flatMap(([name, row]) => {
    const { members } = row
    return members === undefined ? [path + name] : leaves(members, `${path}${name}.`)
  })
}

test('the transport has at most 45 options, counting each that lies within another one', () => {
  expect(leaves(optionTable).length).toBeLessThanOrEqual(45)
  expect(leaves(optionTable)).toContain('reconnect.maxAttempts')
})

test('no option hides others from being counted', () => {
  const counted = new Set(leaves(optionTable).map((path) => path.split('.')[0]))
  const resolved = Object.entries(resolveOptions({ url: 'wss://a/', tls: { ca: 'PEM' } }))
  const isGroup = (value: unknown): boolean =>
    Object.prototype.toString.call(value) === '[object Object]' &&
    Object.values(value as object).every((member) => typeof member !== 'function')
  const groups = resolved.filter(([, value]) => isGroup(value)).map(([name]) => name)
  const single = new Set(leaves(optionTable).filter((path) => !path.includes('.')))
  // Headers have the names that the caller gives them.
  expect(groups.filter((name) => single.has(name))).toEqual(['headers'])
  expect(resolved.map(([name]) => name).filter((name) => !counted.has(name))).toEqual([])
})
