import { expect, test } from 'vitest'
import { ChannelBook } from './channel-book.ts'

interface Opened {
  readonly book: ChannelBook
  readonly told: string[]
}

function open(limits: { readonly maxChannels?: number; readonly keepEnded?: number } = {}): Opened {
  const told: string[] = []
  const book = new ChannelBook({ maxChannels: 10, keepEnded: 10, ...limits }, (subscription) => {
    told.push(`${subscription.channel} ${subscription.status}`)
  })
  return { book, told }
}

const error = new Error('no')

test('has one live record a channel, however many hold it, and ends it with the last of them', async () => {
  const { book, told } = open()
  const [first] = book.hold(['a'], 'x')
  const [again] = book.hold(['a'], 'y')
  expect(again).toBe(first)
  first?.confirm()
  await expect(first?.settled).resolves.toBeUndefined()
  if (first === undefined) throw new Error('no record')
  book.release(first, 'x')
  expect(book.wants('a')).toBe(true)
  book.release(first, 'y', 'z')
  expect(book.wants('a')).toBe(false)
  expect(told).toEqual(['a pending', 'a confirmed', 'a unsubscribed'])
  expect(book.live()).toEqual([])
})

test('begins another record after the end of one, and finds the newest', async () => {
  const { book } = open()
  const [first] = book.hold(['a'], 'x')
  first?.end('failed', error)
  await expect(first?.settled).rejects.toBe(error)
  const [second] = book.hold(['a'], 'x')
  expect(second?.id).not.toBe(first?.id)
  expect(book.find('a')).toBe(second)
  expect(book.get(first?.id ?? '')).toBe(first)
  expect(book.all()).toEqual([first, second])
  expect(book.all('failed')).toEqual([first])
})

test('a record that has ended does not change any more', () => {
  const { book, told } = open()
  const [record] = book.hold(['a'], 'x')
  record?.end('expired', error)
  record?.confirm()
  record?.restore()
  record?.end('failed', error)
  expect(told).toEqual(['a pending', 'a expired'])
  expect(record?.holders.size).toBe(0)
})

test('a record that is confirmed is confirmed once, and again after it was restored', () => {
  const { book, told } = open()
  const [record] = book.hold(['a'], 'x')
  record?.restore()
  record?.confirm()
  record?.confirm()
  record?.restore()
  record?.confirm()
  expect(told).toEqual(['a pending', 'a confirmed', 'a pending', 'a confirmed'])
  expect(record?.wasConfirmed).toBe(true)
})

test('what is looked at stays as it was', () => {
  const { book } = open()
  const [record] = book.hold(['a'], 'x')
  const before = record?.look()
  record?.confirm()
  expect(before?.status).toBe('pending')
  expect(before?.history).toHaveLength(1)
  expect(Object.isFrozen(before) && Object.isFrozen(before?.history)).toBe(true)
})

test('refuses more channels than it may have, and holds none of them', () => {
  const { book } = open({ maxChannels: 2 })
  book.hold(['a'], 'x')
  expect(() => book.hold(['b', 'c'], 'x')).toThrow(expect.objectContaining({ code: 'queue-full' }))
  expect(book.live().map(({ channel }) => channel)).toEqual(['a'])
  book.hold(['a', 'b'], 'y')
  expect(book.live()).toHaveLength(2)
})

test('remembers the newest of those that have ended, in the order of their ends', () => {
  const { book } = open({ keepEnded: 2 })
  const [a, b, c] = book.hold(['a', 'b', 'c'], 'x')
  c?.end('failed', error)
  a?.end('failed', error)
  b?.end('failed', error)
  expect(book.all().map(({ channel }) => channel)).toEqual(['a', 'b'])
  expect(book.get(c?.id ?? '')).toBeUndefined()
  expect(book.find('c')).toBeUndefined()
})

test('forgets an ended record, and still finds the live one of its channel', () => {
  const { book } = open({ keepEnded: 0 })
  const [first] = book.hold(['a'], 'x')
  first?.end('failed', error)
  expect(book.find('a')).toBeUndefined()
  const [second] = book.hold(['a'], 'x')
  expect(book.find('a')).toBe(second)
})

test('adopts what it does not have, the live ones held, and tells nobody', async () => {
  const { book, told } = open()
  const [own] = book.hold(['a'], 'x')
  const step = (status: 'confirmed' | 'failed') => [{ status, at: 1 }] as const
  const saved = [
    { id: 'i1', channel: 'a', history: step('confirmed') },
    { id: 'i2', channel: 'b', history: step('confirmed') },
    { id: 'i3', channel: 'a', history: step('failed') },
  ]
  book.adopt(saved, 'new')
  book.adopt(saved, 'newer')
  expect(book.find('a')).toBe(own)
  expect([...(book.find('b')?.holders ?? [])]).toEqual(['new'])
  await expect(book.find('b')?.settled).resolves.toBeUndefined()
  expect(book.all().map(({ id }) => id)).toEqual([own?.id, 'i2', 'i3'])
  expect(told).toEqual(['a pending'])
})
