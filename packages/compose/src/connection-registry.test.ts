import { expect, test } from 'vitest'
import { StubTransport } from '@bus/test-support'
import { ConnectionRegistry } from './connection-registry.ts'
import { transportPool } from './pool.ts'

const config = expect.objectContaining({ code: 'config' }) as Error

test('registers, finds, replaces and forgets transports by id', () => {
  const registry = new ConnectionRegistry<StubTransport>()
  const [one, two, three] = [new StubTransport(), new StubTransport(), new StubTransport()]
  expect(registry.register('1', one)).toBe(one)
  registry.register('2', two)
  expect([...registry]).toEqual([
    ['1', one],
    ['2', two],
  ])
  expect([registry.get('1'), registry.has('2'), registry.size]).toEqual([one, true, 2])
  expect(registry.update('1', three)).toBe(one)
  expect(registry.transports()).toEqual([three, two])
  expect(registry.unregister('1')).toBe(three)
  expect([registry.get('1'), registry.unregister('1'), registry.size]).toEqual([
    undefined,
    undefined,
    1,
  ])
  expect([one, two, three].map(({ listeners }) => listeners)).toEqual([0, 1, 0])
  expect([one, three].map(({ closes }) => closes)).toEqual([0, 0])
})

test('removes one that is dead, whoever closed it', async () => {
  const registry = new ConnectionRegistry<StubTransport>()
  const [gaveUp, closed] = [new StubTransport(), new StubTransport()]
  registry.register('gave up', gaveUp)
  registry.register('closed', closed)
  gaveUp.become('backoff')
  expect(registry.size).toBe(2)
  gaveUp.become('closed')
  await closed.close()
  expect([registry.size, gaveUp.listeners, closed.listeners]).toEqual([0, 0, 0])
})

test('does not remove the new one when the old one under its id dies', () => {
  const registry = new ConnectionRegistry<StubTransport>()
  const [old, next] = [new StubTransport(), new StubTransport()]
  registry.register('1', old)
  registry.update('1', next)
  old.become('closed')
  expect(registry.get('1')).toBe(next)
})

test('shuts down once and starts again, both as often as one likes', async () => {
  const registry = new ConnectionRegistry<StubTransport>()
  const transport = registry.register('1', new StubTransport())
  registry.start()
  expect(registry.size).toBe(1)
  await registry.shutdown()
  await registry.shutdown()
  await registry[Symbol.asyncDispose]()
  expect([transport.closes, transport.listeners, registry.size]).toEqual([1, 0, 0])
  expect(() => registry.register('1', new StubTransport())).toThrow('shut down')
  registry.start()
  registry.start()
  registry.register('1', new StubTransport())
  expect(registry.size).toBe(1)
})

test('refuses a taken id, a missing one, what is closed or no transport, and more than it may hold', () => {
  const registry = new ConnectionRegistry<StubTransport>({ capacity: 1 })
  registry.register('1', new StubTransport())
  expect(() => registry.register('1', new StubTransport())).toThrow(config)
  expect(() => registry.update('2', new StubTransport())).toThrow(config)
  expect(() => registry.update('1', new StubTransport('c', 'closed'))).toThrow(config)
  expect(() => registry.update('', new StubTransport())).toThrow(config)
  expect(() => registry.update('1', {} as StubTransport)).toThrow(config)
  expect(() => registry.register('2', new StubTransport())).toThrow('holds 1 connections already')
  expect(() => new ConnectionRegistry({ capacity: 0 })).toThrow(config)
})

test('is what a pool discovers its members from', async () => {
  const registry = new ConnectionRegistry<StubTransport>()
  await using pool = transportPool({ discover: () => registry.transports() })
  expect(() => pool.select()).toThrow('no member')
  const transport = registry.register('1', new StubTransport())
  expect(pool.select()).toBe(transport)
  transport.become('closed')
  expect(() => pool.select()).toThrow('no member')
})
