import { describe, expect, test } from 'vitest'
import { HandshakeError } from '../contract/errors.ts'
import { createEvent } from '../contract/event.ts'
import type { TransportEvents } from '../contract/transport.ts'
import { Emitter } from './emitter.ts'
import { attachLogger, type Logger, type LogFields, type AttachLoggerOptions } from './logger.ts'

type Line = readonly [level: keyof Logger, message: string, fields: LogFields]

function setUp(options?: AttachLoggerOptions): {
  readonly emitter: Emitter<TransportEvents>
  readonly lines: Line[]
  readonly detach: ReturnType<typeof attachLogger>
} {
  const lines: Line[] = []
  const log =
    (level: keyof Logger) =>
    (fields: LogFields, message: string): void =>
      void lines.push([level, message, fields])
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const emitter = new Emitter<TransportEvents>(() => {})
  return { emitter, lines, detach: attachLogger(emitter, logger, options) }
}

const refused = new HandshakeError({ status: 503, headers: {}, body: '' })

/** One of each notice. */
const NOTICES: { readonly [K in keyof TransportEvents]: TransportEvents[K] } = {
  status: {
    status: { state: 'ready', since: 5, generation: 1, protocol: '' },
    previous: { state: 'idle', since: 0 },
  },
  open: { generation: 2, reconnected: true, protocol: 'bus.v1' },
  close: { code: 1006, reason: '', wasClean: false, initiatedBy: 'remote' },
  error: { kind: 'decode', error: refused },
  undeliverable: {
    reason: 'dropped',
    direction: 'outbound',
    error: refused,
    attempts: 0,
    event: createEvent('order.created', { card: '4111' }),
  },
  backpressure: { level: 'high', fillRatio: 0.9 },
  ready: undefined,
  breaker: { state: 'open', previous: 'closed' },
  'heartbeat-timeout': { silentMs: 10, missed: 1 },
  'rate-limit': {
    action: 'queued',
    event: createEvent('order.created', { card: '4111' }),
    cost: 1,
    retryAfterMs: 5,
  },
  gap: { from: 1, to: 4, reason: 'slow', patterns: ['>'] },
  'subscriptions-restored': { patterns: ['a.*'] },
  'subscriptions-failed': { patterns: ['b.*'], error: refused },
}

function emitAll(emitter: Emitter<TransportEvents>): void {
  for (const name of Object.keys(NOTICES) as (keyof TransportEvents)[]) {
    emitter.emit(name, NOTICES[name])
  }
}

test('every notice has words and a level', () => {
  const { emitter, lines } = setUp({ level: 'debug' })
  emitAll(emitter)
  expect(lines.map(([level, message]) => `${level}: ${message}`)).toEqual([
    'debug: The connection is ready',
    'info: Connected again',
    'warn: The link ended',
    'error: Failed: decode',
    'warn: Given up: dropped',
    'warn: The outbox fills up',
    'debug: There is room again',
    'warn: The circuit breaker is open',
    'warn: A ping was not answered',
    'debug: The rate limit has queued an event',
    'warn: Events are missing: slow',
    'info: Subscriptions restored',
    'error: Subscriptions not restored',
  ])
})

test('what ends well is said less loudly', () => {
  const { emitter, lines } = setUp({ level: 'debug' })
  const since = 1
  const previous = { state: 'ready', since, generation: 1, protocol: '' } as const
  emitter.emit('open', { ...NOTICES.open, reconnected: false })
  emitter.emit('close', { ...NOTICES.close, code: 1000, wasClean: true })
  emitter.emit('backpressure', { level: 'normal', fillRatio: 0.1 })
  emitter.emit('breaker', { state: 'closed', previous: 'half-open' })
  emitter.emit('error', { kind: 'connection', error: refused })
  emitter.emit('status', { status: { state: 'closed', since, cause: undefined }, previous })
  emitter.emit('status', { status: { state: 'closed', since, cause: refused }, previous })
  expect(lines.map(([level]) => level)).toEqual([
    'info',
    'info',
    'info',
    'info',
    'warn',
    'debug',
    'error',
  ])
})

test.each([
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
  ['silent', []],
  ['unheard-of', ['info', 'warn', 'error']],
])('level %s logs what is as important or more', (level, levels) => {
  const { emitter, lines } = setUp({ level })
  emitAll(emitter)
  expect([...new Set(lines.map(([name]) => name))].toSorted()).toEqual(levels.toSorted())
})

test('the level is info by default, and a silent logger listens to nothing', () => {
  const { emitter, lines } = setUp()
  emitAll(emitter)
  expect(new Set(lines.map(([name]) => name))).toEqual(new Set(['info', 'warn', 'error']))
  const silent = setUp({ level: 'silent' })
  expect(silent.emitter.has('error')).toBe(false)
})

describe('fields', () => {
  test('carry the name that was given', () => {
    const { emitter, lines } = setUp({ name: 'orders' })
    emitter.emit('open', NOTICES.open)
    expect(lines).toEqual([['info', 'Connected again', { name: 'orders', ...NOTICES.open }]])
  })

  test('hold errors as data, and of an event its type and id, never its payload', () => {
    const { emitter, lines } = setUp()
    emitter.emit('undeliverable', NOTICES.undeliverable)
    const fields = lines[0]?.[2]
    expect(fields).toMatchObject({
      err: { name: 'HandshakeError', code: 'handshake' },
      type: 'order.created',
      id: NOTICES.undeliverable.event?.id,
    })
    expect(JSON.stringify(fields)).not.toContain('4111')
  })

  test('hold of a frame its length', () => {
    const { emitter, lines } = setUp()
    emitter.emit('undeliverable', {
      reason: 'undecodable',
      direction: 'inbound',
      attempts: 0,
      error: refused,
      raw: 'secret',
    })
    expect(lines[0]?.[2]).toMatchObject({ rawLength: 6 })
    expect(JSON.stringify(lines)).not.toContain('secret')
  })
})

describe('the end', () => {
  test('comes by the function and by using, and leaves no listener', () => {
    const { emitter, lines, detach } = setUp()
    detach()
    detach()
    emitAll(emitter)
    expect(lines).toEqual([])
    const again = setUp()
    again.detach[Symbol.dispose]()
    for (const name of Object.keys(NOTICES) as (keyof TransportEvents)[]) {
      expect(again.emitter.has(name)).toBe(false)
    }
  })
})

test('an option that is not known is refused by its name', () => {
  expect(() => setUp({ levle: 'info' } as never)).toThrow(/did you mean `level`/)
})
