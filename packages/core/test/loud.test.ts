import { beforeEach, describe, expect, test, vi } from 'vitest'
import { attachLogger } from '../src/observe/logger.ts'
import type { BusEvents } from '../src/bus/notices.ts'
import { ConnectionError } from '../src/contract/errors.ts'
import { createBus } from '../src/bus/event-bus.ts'
import { memoryTransport } from '../src/memory/index.ts'
import { until, useBuses } from '@bus/test-support'

const makeBus = useBuses()
const warnings = vi.fn<(message: string | Error, options?: unknown) => void>()

beforeEach(() => {
  warnings.mockClear()
  vi.spyOn(process, 'emitWarning').mockImplementation(warnings)
})

const fail = (): never => {
  throw new TypeError('no such order')
}

describe('an error that no caller awaits', () => {
  test('is shown once for each kind where there is no listener, with its stack and what to do', async () => {
    const bus = makeBus({ onError: undefined })
    const subscription = await bus.subscribe('a', fail)
    for (let n = 0; n < 3; n++) await bus.publish('a', n)
    await until(() => subscription.stats().deadLettered === 3)
    expect(warnings).toHaveBeenCalledTimes(1)
    const [message, options] = warnings.mock.calls[0] ?? []
    expect(message).toBe(
      'memory: TypeError: no such order (kind `handler`). There is no listener for errors of this bus: ' +
        'add bus.on("error", …), or onError to createBus. Further errors of this kind are not shown',
    )
    expect(options).toMatchObject({ type: 'BusWarning', code: 'BUS_UNHANDLED_ERROR' })
    expect((options as { detail: string }).detail).toContain('loud.test.ts')
    // Of another kind.
    bus.emit('no type!' as 'a', 1)
    expect(warnings).toHaveBeenCalledTimes(2)
  })

  test.each<[string, (bus: ReturnType<typeof makeBus>) => unknown, object]>([
    ['a listener', (bus) => bus.on('error', () => {}), {}],
    ['a logger', (bus) => attachLogger(bus, { ...console, warn() {}, error() {}, info() {} }), {}],
    ['onError', () => {}, { onError: () => {} }],
  ])('is not shown where there is %s', async (_what, listen, options) => {
    const bus = makeBus({ onError: undefined, ...options })
    listen(bus)
    const subscription = await bus.subscribe('a', fail)
    await bus.publish('a', 1)
    await until(() => subscription.stats().deadLettered === 1)
    expect(warnings).not.toHaveBeenCalled()
  })

  test('of a connection is shown after the third attempt in a row that failed', async () => {
    const transport = memoryTransport()
    let report: (notice: { kind: 'connection'; error: Error }) => void = () => {}
    const on = transport.on.bind(transport)
    transport.on = (name, listener, options) => {
      if (name === 'error') report = listener as never
      return on(name, listener, options)
    }
    const bus = createBus({ transport })
    const error = new ConnectionError('connect ECONNREFUSED')
    for (let n = 0; n < 2; n++) report({ kind: 'connection', error })
    // It came about, so what failed before is over.
    await bus.connect()
    for (let n = 0; n < 2; n++) report({ kind: 'connection', error })
    expect(warnings).not.toHaveBeenCalled()
    report({ kind: 'connection', error })
    expect(warnings).toHaveBeenCalledTimes(1)
    expect(warnings.mock.calls[0]?.[0]).toContain('(kind `connection`, 3 times in a row)')
    await bus.close()
  })
})

test('a logger gets every event of a bus, retries and blocked handlers included', async () => {
  const names: Record<keyof BusEvents, true> = {
    status: true,
    open: true,
    close: true,
    error: true,
    undeliverable: true,
    backpressure: true,
    ready: true,
    'rate-limit': true,
    breaker: true,
    'heartbeat-timeout': true,
    gap: true,
    'subscriptions-restored': true,
    'subscriptions-failed': true,
    'dead-letter': true,
    'subscription-backpressure': true,
    'blocked-handler': true,
    retry: true,
  }
  const listened: string[] = []
  const bus = makeBus()
  const on = vi.spyOn(bus, 'on')
  const lines: [string, Record<string, unknown>][] = []
  const write = (fields: object, message: string): void => void lines.push([message, { ...fields }])
  attachLogger(bus, { debug: write, info: write, warn: write, error: write }, { level: 'debug' })
  listened.push(...on.mock.calls.map(([name]) => name))
  expect(listened.toSorted()).toEqual(Object.keys(names).toSorted())

  const errorPolicy = { retry: { attempts: 2, backoff: () => 1 } }
  const subscription = await bus.subscribe('a', fail, { errorPolicy })
  await bus.publish('a', 1)
  await until(() => subscription.stats().deadLettered === 1)
  const messages = lines.map(([message]) => message)
  expect(messages).toContain('A handler failed and is called again')
  expect(messages).toContain('Dead letter: handler')
  const failed = lines.find(([message]) => message === 'Failed: handler')
  expect(failed?.[1]).toMatchObject({ err: { stack: expect.stringContaining('loud.test.ts') } })
})

test('the report of a drain counts the dead letters that end with the process', async () => {
  const bus = makeBus({ onError: () => {} })
  const subscription = await bus.subscribe('a', fail)
  await bus.publish('a', 1)
  await until(() => subscription.stats().deadLettered === 1)
  expect(await bus.drain()).toEqual({ unsent: [], unhandled: 0, deadLetters: 1 })
})
