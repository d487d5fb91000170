import { Console } from 'node:console'
import { PassThrough } from 'node:stream'
import {
  attachLogger,
  createBus,
  createEvent,
  lineLogger,
  type LogFields,
  type Logger,
} from '@bus/core'
import { describe, expect, test, vi } from 'vitest'
import { cut, frameOf, only, record, serve, transportTo, until } from './harness.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

/** A logger of lines of JSON, and what it wrote. */
function jsonLogger(level: string): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line)
  return { lines, logger: lineLogger({ write, format: 'json', level }) }
}

describe('a logger', () => {
  test('gets what happens on a live connection, from dialing to the end', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server)
    const { logger, lines } = jsonLogger('debug')
    attachLogger(transport, logger, { level: 'debug', name: 'orders' })
    await transport.connect({ retry: true })
    server.inject('no event')
    await until(() => lines.some(({ message }) => message === 'Failed: decode'), 'the bad frame')
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 1, 'the next link')
    await transport.close()
    const said = lines.map(({ level, message }) => `${level}: ${message}`)
    expect(said).toEqual([
      'debug: The connection is connecting',
      'warn: Failed: connection',
      'debug: The connection is backoff',
      'debug: The connection is connecting',
      'debug: The connection is bootstrapping',
      'debug: The connection is ready',
      'info: Connected',
      'error: Failed: decode',
      'warn: Given up: undecodable',
      'warn: The link ended',
      'warn: Failed: connection',
      'debug: The connection is backoff',
      'debug: The connection is connecting',
      'debug: The connection is bootstrapping',
      'debug: The connection is ready',
      'info: Connected again',
      'info: The link ended',
      'debug: The connection is closed',
    ])
    expect(lines.every(({ name }) => name === 'orders')).toBe(true)
    expect(lines[1]).toMatchObject({ kind: 'connection', err: { code: 'handshake' } })
  })

  test('gets what goes wrong in a bus, and no payload', async () => {
    const server = await serve()
    const bus = createBus({ transport: transportTo(server) })
    const { logger, lines } = jsonLogger('debug')
    attachLogger(bus, logger)
    await bus.subscribe('order.*', () => Promise.reject(new Error('handler')))
    server.inject(frameOf('order.created', { card: '4111-canary' }))
    await until(() => bus.deadLetters?.size === 1, 'the letter')
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'Given up: handler',
        type: 'order.created',
      }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'Failed: handler', kind: 'handler' }),
    )
    expect(JSON.stringify(lines)).not.toContain('canary')
  })

  test('can be the console', async () => {
    const stdout = new PassThrough()
    const server = await serve()
    const transport = transportTo(server)
    attachLogger(transport, new Console(stdout), { level: 'info' })
    await transport.connect()
    expect(String(stdout.read())).toMatch(/generation: 1.*Connected/s)
  })

  test('can be one that takes its methods from a class, as pino does', async () => {
    class Shaped {
      readonly lines: unknown[] = []
      debug(): void {}
      info(fields: LogFields, message: string): void {
        this.lines.push([fields, message])
      }
      warn(): void {}
      error(): void {}
    }
    const server = await serve()
    const transport = transportTo(server)
    const logger = new Shaped()
    attachLogger(transport, logger)
    await transport.connect()
    expect(logger.lines).toMatchObject([[{ generation: 1 }, 'Connected']])
  })

  test('that throws changes nothing', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const notices = record(transport)
    const fail = (): never => {
      throw new Error('disk full')
    }
    attachLogger(transport, { debug: fail, info: fail, warn: fail, error: fail })
    await transport.publish(createEvent('a', 1))
    expect(only(notices, 'error')).toMatchObject([
      { kind: 'listener', error: { message: 'disk full' } },
    ])
    expect(transport.status.state).toBe('ready')
  })

  test('gets nothing any more once it is detached', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const { logger, lines } = jsonLogger('debug')
    const detach = attachLogger(transport, logger, { level: 'debug' })
    await transport.connect()
    detach()
    const before = lines.length
    await transport.close()
    expect(lines).toHaveLength(before)
  })
})

describe('without a logger', () => {
  test('nothing is written but a warning for each kind of error that has no listener', async () => {
    const written: string[] = []
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0)
    }
    try {
      const server = await serve()
      server.faults.refuse(503, { times: 1 })
      const bus = createBus({ transport: transportTo(server) })
      await bus.subscribe('>', () => Promise.reject(new Error('handler')))
      await bus.connect({ retry: true })
      for (let n = 0; n < 2; n++) server.inject('no event')
      for (let n = 0; n < 2; n++) server.inject(frameOf('a', n))
      await until(() => bus.deadLetters?.size === 4, 'all letters')
      await bus.close()
    } finally {
      vi.restoreAllMocks()
    }
    expect(written).toEqual([
      expect.stringMatching(/BUS_UNHANDLED_ERROR.*The frame of 8 characters is not JSON.*`decode`/),
      expect.stringMatching(/BUS_UNHANDLED_ERROR.*Error: handler.*`handler`/),
    ])
  })
})
