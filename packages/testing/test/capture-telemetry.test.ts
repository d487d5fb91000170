import { channel } from 'node:diagnostics_channel'
import { createBus, telemetry } from '@bus/core'
import { telemetryOf } from '@bus/core/kit'
import { memoryTransport } from '@bus/core/memory'
import { describe, expect, onTestFinished, test } from 'vitest'
import { captureTelemetry, type CaptureTelemetryOptions } from '../src/capture-telemetry.ts'

const drop = { source: 'shop', reason: 'dropped', event: undefined } as const

function capture(options?: CaptureTelemetryOptions) {
  const captured = captureTelemetry(options)
  onTestFinished(() => captured.stop())
  return captured
}

describe('captured telemetry', () => {
  test('holds what a bus tells, in order, with the phases of its operations', async () => {
    const captured = capture()
    await using bus = createBus({ transport: memoryTransport() })
    await bus.subscribe('order.*', () => {})
    await bus.publish('order.created', { total: 1 })
    const { payload } = await captured.waitFor('bus.deliver')
    expect(payload).toMatchObject({ attempt: 1, event: { type: 'order.created' } })
    expect(captured.of('bus.publish')).toMatchObject([{ event: { payload: { total: 1 } } }])
    await bus.close()
    await expect(bus.publish('order.created', { total: 2 })).rejects.toMatchObject({
      code: 'closed',
    })
    const phases = captured.entries.filter(({ name }) => name === 'bus.publish')
    expect(phases.map(({ phase }) => phase).slice(0, 2)).toEqual(['start', 'asyncEnd'])
    expect(captured.of('bus.publish', 'asyncEnd').length).toBeGreaterThan(0)
  })

  test('holds the failure of an operation', async () => {
    const captured = capture()
    await using bus = createBus({ transport: memoryTransport() })
    await bus.subscribe('a', () => {
      throw new Error('mine')
    })
    await bus.publish('a', 1)
    await captured.waitFor('bus.dead-letter')
    expect(captured.of('bus.deliver', 'error')).toMatchObject([{ error: { message: 'mine' } }])
  })

  test('is waited for, also when it is there already, by its payload', async () => {
    const captured = capture()
    telemetry.channel('bus.drop').publish(drop)
    const waiting = captured.waitFor('bus.drop', { where: ({ source }) => source === 'second' })
    telemetry.channel('bus.drop').publish({ ...drop, source: 'second' })
    expect((await waiting).payload.source).toBe('second')
    expect((await captured.waitFor('bus.drop')).payload.source).toBe('shop')
  })

  test('that does not come is an error which says what came', async () => {
    const captured = capture()
    telemetry.channel('bus.drop').publish(drop)
    await expect(captured.waitFor('bus.status', { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/bus\.status.*bus\.drop/) as string,
    })
    const aborted = captured.waitFor('bus.status', { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
  })

  test('of a prefix is that of no other', () => {
    const captured = capture({ prefix: 'shop' })
    telemetry.channel('bus.drop').publish(drop)
    telemetryOf({ prefix: 'shop' })
      .channel('bus.drop')
      .publish({ ...drop, source: 'own' })
    expect(captured.entries).toEqual([
      { name: 'bus.drop', phase: 'notice', payload: { ...drop, source: 'own' } },
    ])
  })

  test('can be forgotten, and is bounded', () => {
    const captured = capture({ limit: 2 })
    for (const source of ['1', '2', '3']) telemetry.channel('bus.drop').publish({ ...drop, source })
    expect(captured.of('bus.drop').map(({ source }) => source)).toEqual(['2', '3'])
    captured.clear()
    expect(captured.entries).toEqual([])
  })

  test('ends with using, and leaves no subscriber', () => {
    const names = telemetry.names.flatMap((name) => [
      name,
      ...['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
        (part) => `tracing:${name}:${part}`,
      ),
    ])
    const heard = (): string[] => names.filter((name) => channel(name).hasSubscribers)
    const before = heard()
    let captured
    {
      using own = captureTelemetry()
      captured = own
      expect(heard().length).toBeGreaterThan(before.length)
    }
    expect(heard()).toEqual(before)
    telemetry.channel('bus.drop').publish(drop)
    expect(captured.entries).toEqual([])
  })

  test.each([
    [{ prefix: '' }, 'prefix'],
    [{ limit: 0 }, 'limit'],
    [{ names: [] }, 'names'],
  ])('refuses %o', (options, path) => {
    expect(() => captureTelemetry(options as object)).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
