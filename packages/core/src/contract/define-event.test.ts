import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { z } from 'zod'
import { thrownBy } from '@bus/test-support'
import { defineEvent, type DefineEventOptions } from './define-event.ts'
import { ConfigError, ValidationError } from './errors.ts'
import { createEvent, type Event } from './event.ts'

interface Order {
  readonly total: number
}

/** A schema written by hand, which answers as it is told. */
function schemaOf<O = unknown>(
  answer: (value: unknown) => StandardSchemaV1.Result<O> | Promise<StandardSchemaV1.Result<O>>,
): StandardSchemaV1<unknown, O> {
  return { '~standard': { version: 1, vendor: 'test', validate: answer } }
}

const refuseAll = schemaOf(() => ({
  issues: [
    { message: 'is wrong', path: ['items', 0, { key: 'name' }, Symbol('s')] },
    { message: 'is odd' },
  ],
}))

const refuseLater = schemaOf(async () => ({ issues: [{ message: 'no' }] }))

describe('without a schema', () => {
  const created = defineEvent<Order, 'order.created'>('order.created')

  test('makes events of its type', () => {
    const event = created.create({ total: 1 }, { id: 'evt_1', correlationId: 'c-1' })
    expectTypeOf(event).toEqualTypeOf<Event<Order, 'order.created'>>()
    expect(created.type).toBe('order.created')
    expect(event).toMatchObject({ id: 'evt_1', type: 'order.created', payload: { total: 1 } })
    expect(event.metadata.correlationId).toBe('c-1')
    expect(event.metadata.source).toBeUndefined()
  })

  test('recognises its events, also for the compiler', () => {
    const event: Event = created.create({ total: 1 })
    const payloads = [event].filter((each) => created.is(each)).map((each) => each.payload)
    expectTypeOf(payloads).toEqualTypeOf<Order[]>()
    expect(payloads).toEqual([{ total: 1 }])
    expect(created.is(createEvent('order.created.eu', { total: 1 }))).toBe(false)
  })

  test('parses an event of its type as it is, and refuses another', async () => {
    const event = createEvent('order.created', { total: 1 })
    expect(created.parse(event)).toBe(event)
    expect(await created.parseAsync(event)).toBe(event)
    const other = createEvent('order.cancelled', null)
    expect(() => created.parse(other)).toThrow(ConfigError)
    expect(() => created.parse(other)).toThrow(/`order\.created`.*`order\.cancelled`/)
    await expect(created.parseAsync(other)).rejects.toThrow(ConfigError)
  })
})

test('the source is that of the definition unless the maker names another', () => {
  const created = defineEvent<Order>('order.created', { source: 'shop' })
  expect(created.create({ total: 1 }).metadata.source).toBe('shop')
  expect(created.create({ total: 1 }, { correlationId: 'c' }).metadata.source).toBe('shop')
  expect(created.create({ total: 1 }, { source: 'till' }).metadata.source).toBe('till')
})

describe('with a zod schema', () => {
  const schema = z.object({
    total: z.number().positive(),
    at: z.string().transform((text) => new Date(text)),
    note: z.string().default('none'),
  })
  const created = defineEvent('order.created', { schema })
  const payload = { total: 1, at: '2024-02-29T00:00:00Z' }

  test('types what goes in and what comes out', () => {
    type Input = Parameters<(typeof created)['create']>[0]
    type Parsed = ReturnType<(typeof created)['parse']>
    expectTypeOf<Input>().toEqualTypeOf<z.input<typeof schema>>()
    expectTypeOf<Parsed>().toEqualTypeOf<Event<z.output<typeof schema>, 'order.created'>>()
    expect(created.type).toBe('order.created')
  })

  test('an event carries its payload as given, and parsing makes of it what the schema says', () => {
    const event = created.create(payload)
    expect(event.payload).toBe(payload)
    const parsed = created.parse(event)
    expect(parsed).toEqual({
      ...event,
      payload: { total: 1, at: new Date('2024-02-29T00:00:00Z'), note: 'none' },
    })
    expect(Object.isFrozen(parsed)).toBe(true)
    expect(event.payload).toBe(payload)
  })

  test('a payload that is not valid makes no event, and the error names what is wrong', () => {
    const error = thrownBy(() => created.create({ ...payload, total: -1 }))
    expect(error).toBeInstanceOf(ValidationError)
    expect(error).toMatchObject({ outcome: 'not-sent', issues: [{ path: 'total' }] })
    expect((error as Error).message).toContain('`order.created`')
    expect(() => created.parse(createEvent('order.created', { total: 'x' }))).toThrow(
      ValidationError,
    )
  })
})

test('the path of an issue may hold names, numbers, symbols and objects with a key', () => {
  const error = thrownBy(() => defineEvent('t', { schema: refuseAll }).create(1))
  expect(error).toHaveProperty('issues', [
    { message: 'is wrong', path: 'items.0.name.Symbol(s)' },
    { message: 'is odd', path: '' },
  ])
  expect((error as Error).message).toContain('items.0.name.Symbol(s): is wrong; is odd')
})

test('a schema may be a function', () => {
  const schema = Object.assign(
    () => 1,
    schemaOf((value) => ({ value: { seen: value } })),
  )
  const parsed = defineEvent('t', { schema }).parse(createEvent('t', 1))
  expect(parsed.payload).toEqual({ seen: 1 })
})

describe('a schema that answers with a promise', () => {
  const schema = schemaOf(async (value) => ({ value: { seen: value } }))
  const later = defineEvent('t', { schema })

  test('is refused by the calls that cannot wait, which name those that can', async () => {
    const rejections = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', rejections)
    const failing = defineEvent('t', { schema: schemaOf(() => Promise.reject(new Error('no'))) })
    for (const definition of [later, failing]) {
      expect(() => definition.create(1)).toThrow(ConfigError)
      expect(() => definition.parse(createEvent('t', 1))).toThrow(/createAsync and parseAsync/)
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', rejections)
    expect(rejections).not.toHaveBeenCalled()
  })

  test('is awaited by the others', async () => {
    const event = await later.createAsync(1, { source: 'shop' })
    expect(event).toMatchObject({ type: 't', payload: 1, metadata: { source: 'shop' } })
    expect((await later.parseAsync(event)).payload).toEqual({ seen: 1 })
    const strict = defineEvent('t', { schema: refuseLater })
    await expect(strict.createAsync(1)).rejects.toThrow(ValidationError)
    await expect(strict.parseAsync(event)).rejects.toThrow(ValidationError)
  })
})

test.each([
  ['type', 'a b', {}],
  ['source', 't', { source: 5 }],
  ['schema', 't', { schema: {} }],
  ['schema', 't', { schema: () => true }],
  ['schema', 't', { schema: { '~standard': { version: 2, validate: () => ({ value: 1 }) } } }],
  ['schema', 't', { schema: { '~standard': { version: 1 } } }],
  ['schema', 't', { schema: null }],
  ['shema', 't', { shema: refuseAll }],
])('a wrong %s is refused by name', (path, type, options) => {
  const error = thrownBy(() => defineEvent(type, options as DefineEventOptions))
  expect(error).toBeInstanceOf(ConfigError)
  expect(error).toHaveProperty('path', path)
})
