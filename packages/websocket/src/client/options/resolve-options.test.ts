import { Agent } from 'node:http'
import { ConfigError, ConnectionError, type Event } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import {
  anything,
  assert,
  constantFrom,
  dictionary,
  oneof,
  property,
  string,
  uniqueArray,
} from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { definePlainProtocol } from '../../protocol/plain-session.ts'
import type { ConnectionWatch } from './connection-watch.ts'
import { classify } from './classify.ts'
import type { WebSocketTransportOptions } from './options.ts'
import {
  defaults,
  parseWebSocketOptions,
  resolveOptions,
  safeParseWebSocketOptions,
} from './resolve-options.ts'

const url = 'wss://host/path'

const protocol = definePlainProtocol({
  name: 'own',
  subprotocols: [],
  capabilities: {
    delivery: 'at-most-once',
    ordering: 'none',
    wildcards: false,
    publishConfirm: false,
    resume: false,
    gaps: false,
    dedupe: false,
    echo: false,
    binary: false,
  },
  encode: (event: Event) => event.id,
  decode: () => {},
})

const NO_WATCH: ConnectionWatch = {
  opened: () => {},
  message: () => {},
  control: () => {},
  closing: () => {},
  closed: () => {},
}

/** Every option, none at its default. */
const EVERYTHING = {
  url: 'wss://host/path?x=1',
  protocol,
  protocols: ['one', 'two'],
  headers: { 'x-a': 'b' },
  tls: { ca: ['PEM'], servername: 'other', rejectUnauthorized: false },
  timeouts: { connectMs: 1, bootstrapMs: 2, closeMs: 3 },
  onOpen: () => [],
  reconnect: {
    backoff: () => 7,
    maxAttempts: 3,
    stableAfterMs: 4,
    giveUpAfterMs: 5,
    classify: () => 'fatal',
  },
  heartbeat: { intervalMs: 30, timeoutMs: 20, maxMissed: 4 },
  idleTimeoutMs: 31,
  breaker: { failureThreshold: 6, openMs: 7, successThreshold: 8 },
  queue: { capacity: 9, maxBytes: 10, strategy: 'reject', warningThreshold: 0.5 },
  whenDisconnected: 'reject',
  maxAttempts: 11,
  highWaterMarkBytes: 12,
  maxMessageBytes: 13,
  compression: true,
  allowInsecure: true,
  agent: new Agent(),
  unref: true,
  telemetry: { prefix: 'shop', id: 'orders' },
  metrics: {},
  watch: { watch: () => NO_WATCH },
  clock: { ...systemClock },
  random: () => 0.5,
} satisfies WebSocketTransportOptions

function refusal(input: unknown): ConfigError {
  const parsed = safeParseWebSocketOptions(input)
  if (parsed.ok) throw new Error('accepted')
  return parsed.error
}

/** What the throwing form does, in comparable form. */
function outcome(input: unknown): { ok: boolean; found: string } {
  try {
    return { ok: true, found: JSON.stringify(parseWebSocketOptions(input)) }
  } catch (error) {
    return { ok: false, found: (error as ConfigError).message }
  }
}

/** An object with one value at a dotted path. */
function at(path: string, value: unknown): object {
  const [name = '', ...rest] = path.split('.')
  return { [name]: rest.length === 0 ? value : at(rest.join('.'), value) }
}

describe('options', () => {
  it('with only a url have every default as documented, and are frozen', () => {
    const resolved = resolveOptions({ url })
    expect(resolved).toMatchObject({
      url,
      protocol: { name: 'bus.v1' },
      protocols: [],
      headers: {},
      tls: undefined,
      timeouts: { connectMs: 10_000, bootstrapMs: 10_000, closeMs: 2_000 },
      onOpen: undefined,
      reconnect: { maxAttempts: Infinity, stableAfterMs: 10_000, giveUpAfterMs: Infinity },
      heartbeat: { intervalMs: 25_000, timeoutMs: 10_000, maxMissed: 1 },
      idleTimeoutMs: undefined,
      breaker: { failureThreshold: 5, openMs: 60_000, successThreshold: 2 },
      queue: { capacity: 1_000, maxBytes: 16_777_216, strategy: 'block', warningThreshold: 0.8 },
      whenDisconnected: 'queue',
      maxAttempts: 5,
      highWaterMarkBytes: 1_048_576,
      maxMessageBytes: 1_048_576,
      compression: false,
      allowInsecure: false,
      agent: undefined,
      unref: false,
      clock: systemClock,
      random: Math.random,
    })
    const parts = [resolved, ...Object.values(resolved)].filter((part) => part !== protocol)
    const open = parts.filter((part) => typeof part === 'object' && !Object.isFrozen(part))
    expect(open).toEqual([])
  })

  it('have a backoff from 250 milliseconds to 5 seconds with full jitter by default', () => {
    const { reconnect } = resolveOptions({ url })
    if (reconnect === false) throw new Error('off')
    const lost = new ConnectionError('lost')
    const highest = (attempt: number): number =>
      Number(reconnect.backoff(attempt, () => 1 - 2 ** -53, lost))
    expect([1, 2, 3, 8, 100].map((attempt) => Math.round(highest(attempt)))).toEqual([
      250, 500, 1_000, 5_000, 5_000,
    ])
    expect(reconnect.backoff(5, () => 0, lost)).toBe(0)
    expect(reconnect.classify).toBe(classify)
  })

  it('are all kept when all are given', () => {
    expect(resolveOptions(EVERYTHING)).toEqual(EVERYTHING)
  })

  it('resolve to the same once more', () => {
    const resolved = resolveOptions(EVERYTHING)
    expect(resolveOptions(resolved)).toEqual(resolved)
    const minimal = resolveOptions({ url })
    expect(resolveOptions(minimal)).toEqual(minimal)
    expect(resolveOptions({ ...minimal, maxAttempts: 1 })).toEqual({ ...minimal, maxAttempts: 1 })
  })

  it('survive being written as JSON and read again', () => {
    const {
      protocol: _p,
      onOpen: _o,
      agent: _a,
      watch: _w,
      clock: _c,
      random: _r,
      reconnect: _re,
      ...data
    } = EVERYTHING
    expect(JSON.stringify(resolveOptions(JSON.parse(JSON.stringify(data))))).toBe(
      JSON.stringify(resolveOptions(data)),
    )
    const { maxAttempts, stableAfterMs } = EVERYTHING.reconnect
    const plain = { ...data, reconnect: { maxAttempts, stableAfterMs } }
    const read: unknown = JSON.parse(JSON.stringify(plain))
    expect(resolveOptions(read)).toMatchObject(plain)
  })

  it('can be switched off where they are whole features', () => {
    const off = { url, reconnect: false, heartbeat: false, breaker: false } as const
    expect(resolveOptions(off)).toMatchObject(off)
  })

  it('that are undefined count as absent, also inside of others', () => {
    const undefinedOnes = Object.fromEntries(Object.keys(EVERYTHING).map((key) => [key, undefined]))
    const timeouts = { connectMs: 5, closeMs: undefined }
    const resolved = resolveOptions({ ...undefinedOnes, url, timeouts })
    expect(resolved.timeouts).toEqual({ ...defaults.timeouts, connectMs: 5 })
    expect(resolved.queue).toEqual(defaults.queue)
  })

  it('are only read, and later changes of the object do not reach the transport', () => {
    const headers = { a: 'b' }
    const ca = ['PEM']
    const input = Object.freeze({
      url,
      headers,
      tls: { ca },
      protocols: ['p'],
      queue: { capacity: 3 },
    })
    const before = JSON.stringify(input)
    const resolved = resolveOptions(input)
    expect(JSON.stringify(input)).toBe(before)
    headers.a = 'changed'
    ca.push('more')
    input.protocols.push('more')
    input.queue.capacity = 99
    expect(resolved).toMatchObject({
      headers: { a: 'b' },
      protocols: ['p'],
      queue: { capacity: 3 },
    })
    expect(resolved.tls).toMatchObject({ ca: ['PEM'] })
  })

  it('take functions as they are', () => {
    const headers = vi.fn<() => Record<string, string>>()
    expect(resolveOptions({ url, headers }).headers).toBe(headers)
  })
})

describe('a mistake', () => {
  it.each([undefined, null, 42, '', 'http://host', {}])('in the url names it (%j)', (wrong) => {
    const error = refusal({ url: wrong })
    expect(error).toMatchObject({ path: 'url', code: 'config', outcome: 'not-sent' })
    expect(error.message).toContain('Expected `url` to be a ws: or wss: URL with a host, got ')
  })

  it.each([undefined, null, 42, 'ws://host', [], () => {}])(
    'can be the whole thing (%j)',
    (wrong) => {
      expect(refusal(wrong)).toBeInstanceOf(ConfigError)
    },
  )

  const milliseconds = [
    'timeouts.connectMs',
    'timeouts.bootstrapMs',
    'timeouts.closeMs',
    'reconnect.stableAfterMs',
    'reconnect.giveUpAfterMs',
    'heartbeat.intervalMs',
    'heartbeat.timeoutMs',
    'idleTimeoutMs',
    'breaker.openMs',
  ]
  const counts = [
    'heartbeat.maxMissed',
    'breaker.failureThreshold',
    'breaker.successThreshold',
    'queue.capacity',
    'queue.maxBytes',
    'maxAttempts',
    'highWaterMarkBytes',
    'maxMessageBytes',
  ]

  it('in a number names the option, the value and what is accepted', () => {
    const wrong = constantFrom<unknown>(0, -1, -0.5, Number.NaN, -Infinity, '5', null, true, {})
    const names = constantFrom(...milliseconds, ...counts)
    assert(
      property(names, wrong, (path, value) => {
        const error = refusal({ url, ...at(path, value) })
        expect(error.path).toBe(path)
        expect(error.message).toMatch(
          new RegExp(`^Expected \`${path}\` to be .+, got \`.+\` \\(.+\\)$`),
        )
      }),
    )
  })

  it.each(counts)('in %s is a fraction', (path) => {
    expect(refusal({ url, ...at(path, 1.5) }).path).toBe(path)
  })

  it.each(milliseconds)('in %s is more than a timer can wait', (path) => {
    expect(refusal({ url, ...at(path, 2 ** 31) }).path).toBe(path)
  })

  it('in the attempts of a reconnect is less than none; none and without end are fine', () => {
    expect(refusal({ url, reconnect: { maxAttempts: -1 } }).message).toBe(
      'Expected `reconnect.maxAttempts` to be an integer ≥ 0 or Infinity, got `-1` (number)',
    )
    for (const maxAttempts of [0, 1, Infinity]) {
      expect(resolveOptions({ url, reconnect: { maxAttempts } })).toMatchObject({
        reconnect: { maxAttempts },
      })
    }
  })

  it.each([
    ['queue.strategy', 'drop'],
    ['queue.warningThreshold', 1.5],
    ['whenDisconnected', 'drop'],
    ['reconnect.backoff', 'exponential'],
    ['reconnect.classify', 'fatal'],
    ['reconnect', true],
    ['heartbeat', true],
    ['breaker', true],
    ['queue', false],
    ['compression', 'yes'],
    ['allowInsecure', 1],
    ['protocols', 'one'],
    ['protocols[1]', ['one', 'two words']],
    ['protocols', ['one', 'one']],
    ['protocol', { name: 'own' }],
    ['headers', []],
    ['onOpen', []],
    ['tls', true],
    ['tls.ca[0]', [1]],
    ['tls.key', 1],
    ['tls.rejectUnauthorized', 'no'],
    ['timeouts', 5],
    ['clock', {}],
    ['random', 4],
  ])('in %s names the key', (path, value) => {
    const [name = ''] = path.split('[')
    expect(refusal({ url, ...at(name, value) }).path).toBe(path)
  })

  it('in a name gives the nearest known one', () => {
    expect(refusal({ url, heartBeat: {} }).message).toContain('did you mean `heartbeat`?')
    expect(refusal({ url, timeouts: { connectMS: 1 } }).message).toContain(
      'Unknown option `timeouts.connectMS`: did you mean `connectMs`?',
    )
    expect(refusal({ url, reconnect: { maxAttempt: 1 } }).path).toBe('reconnect.maxAttempt')
    expect(refusal({ url, queue: { size: 1 } }).path).toBe('queue.size')
  })
})

describe('a contradiction is refused:', () => {
  it('an answer to a ping that may take longer than the time to the next ping', () => {
    expect(refusal({ url, heartbeat: { intervalMs: 100, timeoutMs: 101 } }).message).toBe(
      'Expected `heartbeat.timeoutMs` to be at most `heartbeat.intervalMs` (100), got `101` (number)',
    )
    expect(refusal({ url, heartbeat: { intervalMs: 9_999 } }).path).toBe('heartbeat.timeoutMs')
    const equal = { intervalMs: 100, timeoutMs: 100 }
    expect(resolveOptions({ url, heartbeat: equal })).toMatchObject({ heartbeat: equal })
  })

  it('an idle limit that a ping cannot prevent', () => {
    expect(refusal({ url, idleTimeoutMs: 25_000 }).path).toBe('idleTimeoutMs')
    expect(resolveOptions({ url, idleTimeoutMs: 25_001 }).idleTimeoutMs).toBe(25_001)
    expect(resolveOptions({ url, idleTimeoutMs: 1, heartbeat: false }).idleTimeoutMs).toBe(1)
  })

  it('certificates for a link without TLS', () => {
    expect(refusal({ url: 'ws://host', tls: {} }).message).toBe(
      'Expected `tls` only with a wss: URL, got a ws: URL',
    )
  })
})

describe('parsing', () => {
  it('throws exactly when the safe form returns an error, and then the same', () => {
    const names = constantFrom(...Object.keys(EVERYTHING), 'typo')
    const valid = uniqueArray(constantFrom(...Object.entries(EVERYTHING))).map((entries) => ({
      url,
      ...Object.fromEntries(entries),
    }))
    const odd = dictionary(names, anything(), { maxKeys: 3 }).map((rest) => ({ url, ...rest }))
    assert(
      property(oneof(valid, odd, anything(), dictionary(string(), anything())), (input) => {
        const safe = safeParseWebSocketOptions(input)
        const found = safe.ok ? JSON.stringify(safe.options) : safe.error.message
        expect(outcome(input)).toEqual({ ok: safe.ok, found })
      }),
    )
  })

  it('does not turn the mistake of a getter into a mistake of the options', () => {
    const broken = {
      get url(): string {
        throw new RangeError('not ours')
      },
    }
    expect(() => safeParseWebSocketOptions(broken)).toThrow(RangeError)
  })
})
