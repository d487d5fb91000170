import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

// What of the libraries is used. Much of what goes wrong with them is in parts that we do without.

const packages = new URL('../../', import.meta.url)

/** The sources of all packages that import the library, by their path. */
function usersOf(library: string): (readonly [path: string, text: string])[] {
  return readdirSync(packages).flatMap((name) => {
    const source = new URL(`${name}/src/`, packages)
    return readdirSync(source, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => [`${name}/${path}`, readFileSync(new URL(path, source), 'utf8')] as const)
      .filter(([, text]) => text.includes(`from '${library}'`))
  })
}

/** The members that are used of whatever a class of this name was put into. */
function membersUsed(text: string, className: string): string[] {
  const fields = text.matchAll(new RegExp(`#(\\w+)(?:: | = new )${className}\\b`, 'g'))
  return [...new Set([...fields].map(([, field]) => field ?? ''))].flatMap((field) =>
    [...text.matchAll(new RegExp(`this\\.#${field}\\??\\.(\\w+)`, 'g'))].map(
      ([, member]) => member ?? '',
    ),
  )
}

/** What stands in the parentheses of `new Name(…)`. */
const constructions = (text: string, className: string): string[] =>
  [...text.matchAll(new RegExp(`new ${className}(?:<[^(]*>)?\\(`, 'g'))].map(({ index }) => {
    const from = text.indexOf('(', index)
    let depth = 0
    let at = from
    do {
      if (text[at] === '(') depth++
      if (text[at] === ')') depth--
      at++
    } while (depth > 0)
    return text.slice(from + 1, at - 1)
  })

describe('p-queue', () => {
  const users = usersOf('p-queue')

  test('is used to add tasks and to count them: it is not cleared or paused, and only the start of the next is listened to [F105, F106, F107, F109]', () => {
    expect(users.length).toBeGreaterThan(2)
    const used = new Set(users.flatMap(([, text]) => membersUsed(text, 'PQueue')))
    // `onIdle` waits for the consumers of dead letters, whose queue never pauses and whose tasks have deadlines.
    const members = ['add', 'concurrency', 'on', 'onIdle', 'pending', 'size']
    expect([...used].toSorted()).toEqual(members)
    const heard = users.flatMap(([, text]) => [
      ...text.matchAll(/\.on\('(\w+)', \(\) => this\.wake/g),
    ])
    expect(heard.map(([, event]) => event)).toEqual(['next'])
  })

  test('gets no signal, no time limit and no priority: these are ours, and hold for what runs as well [F103, F108]', () => {
    for (const [path, text] of users) {
      const options = constructions(text, 'PQueue')
      expect(options.length, path).toBeGreaterThan(0)
      for (const option of options) expect(option).toMatch(/^\{ concurrency(?:: [^,{}]+)? \}$/)
      for (const [, task = ''] of text.matchAll(/\.add\(((?:[^()]|\([^()]*\))*)\)/g)) {
        expect(task, path).not.toMatch(/(?:signal|timeout|priority):/)
      }
    }
  })
})

describe('opossum', () => {
  const users = usersOf('opossum')

  test('stands behind one file, which opens and closes it, reads its state, and listens for half-open alone [F118, F121]', () => {
    expect(users.map(([path]) => path)).toEqual(['websocket/client/reconnect/breaker.ts'])
    const text = users.map(([, source]) => source).join('\n')
    expect([...new Set(membersUsed(text, 'Opossum'))].toSorted()).toEqual([
      'close',
      'halfOpen',
      'open',
      'opened',
      'shutdown',
      'toJSON',
    ])
    expect([...text.matchAll(/circuit\.on\('(\w+)'/g)].map(([, name]) => name)).toEqual([
      'halfOpen',
    ])
  })

  test('has no time limit, no filter, no samples and nothing that several breakers share [F114, F119, F120, F122, F123]', () => {
    const [options = ''] = users.flatMap(([, text]) => constructions(text, 'Opossum'))
    const names = [...options.matchAll(/^\s+(\w+):/gm)].map(([, name]) => name ?? '')
    expect(names.toSorted()).toEqual([
      'enableSnapshots',
      'name',
      'resetTimeout',
      'rollingCountBuckets',
      'rollingCountTimeout',
      'rollingPercentilesEnabled',
      'timeout',
    ])
    for (const name of ['enableSnapshots', 'rollingPercentilesEnabled', 'timeout']) {
      expect(options).toContain(`${name}: false`)
    }
  })
})
