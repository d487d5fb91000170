import { expect, test } from 'vitest'
import { ChannelTable } from './channel-table.ts'

interface Opened {
  readonly table: ChannelTable
  readonly changes: string[]
}

function open(limits: { readonly maxChannels?: number; readonly keepEnded?: number } = {}): Opened {
  const changes: string[] = []
  const table = new ChannelTable({ maxChannels: 10, keepEnded: 10, ...limits }, (subscription) => {
    changes.push(`${subscription.channel} ${subscription.status}`)
  })
  return { table, changes }
}

const error = new Error('no')

test('has one live record a channel, however many hold it, and ends it with the last of them', async () => {
  const { table, changes } = open()
  const [first] = table.hold(['a'], 'x')
  const [again] = table.hold(['a'], 'y')
  expect(again).toBe(first)
  first?.confirm()
  await expect(first?.settled).resolves.toBeUndefined()
  if (first === undefined) throw new Error('no record')
  table.release(first, 'x')
  expect(table.hasLive('a')).toBe(true)
  table.release(first, 'y', 'z')
  expect(table.hasLive('a')).toBe(false)
  expect(changes).toEqual(['a pending', 'a confirmed', 'a unsubscribed'])
  expect(table.live()).toEqual([])
})

test('begins another record after the end of one, and finds the newest', async () => {
  const { table } = open()
  const [first] = table.hold(['a'], 'x')
  first?.end('failed', error)
  await expect(first?.settled).rejects.toBe(error)
  const [second] = table.hold(['a'], 'x')
  expect(second?.id).not.toBe(first?.id)
  expect(table.find('a')).toBe(second)
  expect(table.get(first?.id ?? '')).toBe(first)
  expect(table.all()).toEqual([first, second])
  expect(table.all('failed')).toEqual([first])
})

test('a record that has ended does not change any more', () => {
  const { table, changes } = open()
  const [record] = table.hold(['a'], 'x')
  record?.end('expired', error)
  record?.confirm()
  record?.restore()
  record?.end('failed', error)
  expect(changes).toEqual(['a pending', 'a expired'])
  expect(record?.holders.size).toBe(0)
})

test('a record that is confirmed is confirmed once, and again after it was restored', () => {
  const { table, changes } = open()
  const [record] = table.hold(['a'], 'x')
  record?.restore()
  record?.confirm()
  record?.confirm()
  record?.restore()
  record?.confirm()
  expect(changes).toEqual(['a pending', 'a confirmed', 'a pending', 'a confirmed'])
  expect(record?.wasConfirmed).toBe(true)
})

test('what is looked at stays as it was', () => {
  const { table } = open()
  const [record] = table.hold(['a'], 'x')
  const before = record?.look()
  record?.confirm()
  expect(before?.status).toBe('pending')
  expect(before?.history).toHaveLength(1)
  expect(Object.isFrozen(before) && Object.isFrozen(before?.history)).toBe(true)
})

test('refuses more channels than it may have, and holds none of them', () => {
  const { table } = open({ maxChannels: 2 })
  table.hold(['a'], 'x')
  expect(() => table.hold(['b', 'c'], 'x')).toThrow(expect.objectContaining({ code: 'queue-full' }))
  expect(table.live().map(({ channel }) => channel)).toEqual(['a'])
  table.hold(['a', 'b'], 'y')
  expect(table.live()).toHaveLength(2)
})

test('remembers the newest of those that have ended, in the order of their ends', () => {
  const { table } = open({ keepEnded: 2 })
  const [a, b, c] = table.hold(['a', 'b', 'c'], 'x')
  c?.end('failed', error)
  a?.end('failed', error)
  b?.end('failed', error)
  expect(table.all().map(({ channel }) => channel)).toEqual(['a', 'b'])
  expect(table.get(c?.id ?? '')).toBeUndefined()
  expect(table.find('c')).toBeUndefined()
})

test('forgets an ended record, and still finds the live one of its channel', () => {
  const { table } = open({ keepEnded: 0 })
  const [first] = table.hold(['a'], 'x')
  first?.end('failed', error)
  expect(table.find('a')).toBeUndefined()
  const [second] = table.hold(['a'], 'x')
  expect(table.find('a')).toBe(second)
})

test('adopts what it does not have, the live ones held, and tells nobody', async () => {
  const { table, changes } = open()
  const [own] = table.hold(['a'], 'x')
  const step = (status: 'confirmed' | 'failed') => [{ status, at: 1 }] as const
  const saved = [
    { id: 'i1', channel: 'a', history: step('confirmed') },
    { id: 'i2', channel: 'b', history: step('confirmed') },
    { id: 'i3', channel: 'a', history: step('failed') },
  ]
  table.adopt(saved, 'new')
  table.adopt(saved, 'newer')
  expect(table.find('a')).toBe(own)
  expect([...(table.find('b')?.holders ?? [])]).toEqual(['new'])
  await expect(table.find('b')?.settled).resolves.toBeUndefined()
  expect(table.all().map(({ id }) => id)).toEqual([own?.id, 'i2', 'i3'])
  expect(changes).toEqual(['a pending'])
})
