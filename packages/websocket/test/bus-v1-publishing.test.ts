import { createBus, createEvent, type PublishReceipt } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import {
  collect,
  leavesNothing,
  numbered,
  only,
  record,
  resources,
  transportTo,
  until,
} from './harness.ts'
import { startHub } from './hub-clients.ts'
import { confirm, limitsOf, startLiteralHub, type LiteralHub } from './literal-hub.ts'

const client = (
  hub: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): WebSocketTransport => transportTo(hub, { protocol: busV1(), ...options })

/** How a promise ended, without waiting for it. */
function watch<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const seen: { value?: T; error?: unknown } = {}
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.error = error),
  )
  return seen
}

describe('publishing to a hub', () => {
  test('resolves when the hub has confirmed the event, at once or when it is there', async () => {
    const hub = await startHub()
    const transport = client(hub)
    const receipts = await Promise.all(numbered(500).map((event) => transport.publish(event)))
    expect(receipts.every(({ status, attempts }) => status === 'confirmed' && attempts === 1)).toBe(
      true,
    )
    expect(hub.stats().busV1).toMatchObject({ published: 500 })
    expect(transport.stats()).toMatchObject({ sent: 500, resent: 0 })
  })

  test('does not resolve before the hub has said so, and resolves everything up to that', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = client(hub)
    const events = numbered(3)
    const seen = events.map((event) => watch(transport.publish(event)))
    await hub.hears('pub', 3)
    expect(seen).toEqual([{}, {}, {}])
    hub.say('ok 2')
    await until(() => seen[1]?.value !== undefined, 'the second receipt')
    expect(seen.map(({ value }) => value?.status)).toEqual(['confirmed', 'confirmed', undefined])
    hub.say('ok 3')
    await until(() => seen[2]?.value !== undefined, 'the third receipt')
  })

  test('at most once resolves when the event was handed over, and the hub gets no request for an answer', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = client(hub)
    const event = createEvent('a', 1)
    const receipt = await transport.publish(event, { delivery: 'at-most-once' })
    expect(receipt).toEqual({ id: event.id, status: 'sent', attempts: 1 })
    await hub.hears('pub')
    expect(hub.events()).toEqual([`pub - ${event.id}`])
  })

  test('both ways keep one order', async () => {
    const hub = await startHub()
    const [transport, reader] = [client(hub), client(hub)]
    const sink = await collect(reader, '>')
    await Promise.all(
      numbered(200).map((event, n) =>
        transport.publish(event, {
          delivery: n % 3 === 0 ? 'at-most-once' : 'at-least-once',
        }),
      ),
    )
    await until(() => sink.events.length === 200, 'all')
    expect(sink.payloads).toEqual(numbered(200).map(({ payload }) => payload))
  })

  test('emit is confirmed as well, so that what a broken link swallows is sent again', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
      welcome: (_hello, index) => ({ resumed: index > 0 }),
    })
    const transport = client(hub)
    transport.emit(createEvent('a', 1))
    await hub.hears('pub', 1)
    hub.server.faults.reset()
    await hub.hears('pub', 2)
    await until(() => transport.backpressureStats().size === 0, 'the confirmation')
    expect(transport.stats()).toMatchObject({ resent: 1, sent: 1 })
  })

  test('emit at most once is not confirmed, and leaves the queue when it was handed over', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const bus = createBus({ transport: client(hub) })
    onTestFinished(() => bus.close())
    expect(bus.emit('a', 1, { metadata: { id: 'i-1' }, delivery: 'at-most-once' })).toBe(true)
    expect(bus.emit(createEvent('a', 2, { id: 'i-2' }), { delivery: 'at-most-once' })).toBe(true)
    await hub.hears('pub', 2)
    expect(hub.events()).toEqual(['pub - i-1', 'pub - i-2'])
    await until(() => bus.backpressureStats().size === 0, 'an empty queue')
    expect(bus.backpressureStats()).toMatchObject({ sent: 2 })
  })

  test('sends many small events in few messages, and a large one alone', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    await transport.connect()
    const small = numbered(300)
    const large = createEvent('a', 'x'.repeat(200_000))
    await Promise.all([...small, large, ...numbered(10)].map((event) => transport.publish(event)))
    const messages = hub.server.received.filter(({ text }) => text.includes('pub '))
    expect(messages.length).toBeLessThan(12)
    for (const { text } of messages) {
      expect(text.length <= 65_536 || !text.includes('\n')).toBe(true)
    }
  })

  test('puts no more into a message than the hub takes', async () => {
    const hub = await startHub({ maxMessageBytes: 2_000 })
    const transport = client(hub)
    const receipts = await Promise.all(
      [...numbered(200), createEvent('a', 'ä'.repeat(800)), ...numbered(50)].map((event) =>
        transport.publish(event),
      ),
    )
    expect(receipts).toHaveLength(251)
    expect(transport.stats()).toMatchObject({ reconnects: 0, resent: 0 })
  })
})

describe('an event that the hub refuses', () => {
  test.each([
    ['size', { limits: { maxEventBytes: 1_000 } }, 'x'.repeat(2_000)],
    ['auth', { authorize: () => false }, 'x'],
    ['rate', { limits: { publishPerSecond: 0.001 } }, 'x'],
  ])(
    'for its %s rejects its publish, is undeliverable, and holds nothing up',
    async (code, options, payload) => {
      const hub = await startHub(options)
      const transport = client(hub)
      const notices = record(transport)
      const outcomes = await Promise.allSettled(
        [createEvent('a', payload), createEvent('a', payload)].map((event) =>
          transport.publish(event),
        ),
      )
      const rejected = outcomes.flatMap((end) =>
        end.status === 'rejected' ? [end.reason as unknown] : [],
      )
      expect(rejected.length).toBeGreaterThan(0)
      for (const error of rejected) {
        expect(error).toMatchObject({ code: 'rejected', outcome: 'rejected', retryable: false })
        expect(String(error)).toContain(code)
      }
      expect(only(notices, 'undeliverable')).toHaveLength(rejected.length)
      expect(transport.backpressureStats().size).toBe(0)
      expect(transport.stats().reconnects).toBe(0)
    },
  )

  test('is rejected also when the answer was lost with the link [F56]', async () => {
    const hub = await startLiteralHub({
      answer: () => undefined,
      welcome: (_hello, index) =>
        index === 0 ? {} : { resumed: true, last: 3, refused: [[2, 'auth']] },
    })
    const transport = client(hub)
    const seen = numbered(3).map((event) => watch(transport.publish(event)))
    await hub.hears('pub', 3)
    hub.server.faults.reset()
    await until(() => seen.every(({ value, error }) => value ?? error), 'all to end')
    expect(seen.map(({ value }) => value?.status)).toEqual(['confirmed', undefined, 'confirmed'])
    expect(seen[1]?.error).toMatchObject({ code: 'rejected' })
  })

  test('by costing three links is given up alone, and goes to the dead letters [F45]', async () => {
    let poison = ''
    const hub = await startLiteralHub({
      welcome: ({ sid }) => (sid === undefined ? { sid: `s${hubs()}` } : { sid, resumed: true }),
      answer: (line) => {
        if (!line.includes(poison)) return confirm(line)
        hub.latest.close(1009, 'too large')
        return undefined
      },
    })
    const hubs = (): number => hub.hellos.filter(({ sid }) => sid === undefined).length
    const transport = client(hub)
    const notices = record(transport)
    await transport.connect()
    const events = numbered(4)
    poison = events[0]?.id ?? ''
    const seen = events.map((event) => watch(transport.publish(event)))
    await until(() => seen.every(({ value, error }) => value ?? error), 'all to end')
    expect(seen[0]?.error).toMatchObject({ code: 'rejected', outcome: 'rejected' })
    expect(seen.slice(1).map(({ value }) => value?.status)).toEqual(Array(3).fill('confirmed'))
    expect(only(notices, 'undeliverable')).toMatchObject([
      { reason: 'rejected', event: { id: poison } },
    ])
    // Three links for it, and one after that in a session that never knew of it.
    expect(hub.hellos.map(({ sid }) => sid !== undefined)).toEqual([false, true, true, false])
    expect(hub.events(3)).toEqual(events.slice(1).map(({ id }, i) => `rep ${i + 1} ${id}`))
  })

  test('is never sent when it is larger than any message that the hub takes [F45, F57]', async () => {
    const hub = await startLiteralHub({ welcome: () => limitsOf({ maxLineBytes: 1_000 }) })
    const transport = client(hub)
    const [large, small] = [createEvent('a', 'x'.repeat(2_000)), createEvent('a', 1)]
    const seen = watch(transport.publish(large))
    await transport.publish(small)
    expect(seen.error).toMatchObject({ code: 'too-large', outcome: 'not-sent' })
    expect(hub.events()).toEqual([`pub 1 ${small.id}`])
  })
})

describe('a publisher that stops waiting', () => {
  test('learns that the outcome is unknown once the event was written, and the session goes on', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = client(hub)
    await transport.connect()
    const abort = new AbortController()
    const aborted = watch(transport.publish(createEvent('a', 1), { signal: abort.signal }))
    const late = watch(transport.publish(createEvent('a', 2), { timeoutMs: 200 }))
    const other = watch(transport.publish(createEvent('a', 3)))
    await hub.hears('pub', 3)
    abort.abort(new Error('enough'))
    await until(() => late.error !== undefined && aborted.error !== undefined, 'both to give up')
    expect(aborted.error).toMatchObject({ code: 'aborted', outcome: 'unknown' })
    expect(late.error).toMatchObject({ code: 'timeout', outcome: 'unknown' })
    hub.say('ok 3')
    await until(() => other.value !== undefined, 'the third receipt')
    expect(transport.backpressureStats().size).toBe(0)
  })

  test('learns that it was not sent when the link was away', async () => {
    const hub = await startLiteralHub()
    hub.server.faults.refuse(503)
    const transport = client(hub)
    const abort = new AbortController()
    const seen = watch(transport.publish(createEvent('a', 1), { signal: abort.signal }))
    abort.abort()
    await until(() => seen.error !== undefined, 'the end')
    expect(seen.error).toMatchObject({ code: 'aborted', outcome: 'not-sent' })
    hub.server.faults.clear()
    await transport.connect({ retry: true })
    await transport.publish(createEvent('a', 2))
    expect(hub.events()).toHaveLength(1)
  })
})

describe('a link that breaks', () => {
  test('costs nothing: the session goes on, and what is not confirmed is sent again in order [F79]', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
      welcome: (_hello, index) => (index === 0 ? {} : { resumed: true, last: 2 }),
    })
    const transport = client(hub)
    const events = numbered(5)
    const receipts = events.map((event) => transport.publish(event))
    await hub.hears('pub', 5)
    hub.server.faults.reset()
    const settled = await Promise.all(receipts)
    expect(settled.map(({ attempts }: PublishReceipt) => attempts)).toEqual([1, 1, 2, 2, 2])
    expect(hub.hellos[1]?.sid).toBe('sid-1')
    expect(hub.events(1)).toEqual(events.slice(2).map(({ id }, i) => `pub ${i + 3} ${id}`))
    expect(transport.stats()).toMatchObject({ reconnects: 1, resent: 3, sent: 5 })
  })

  test('with the session is reported to the hub: what it may have had already is flagged', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
      welcome: (_hello, index) => ({ sid: `s${index}`, epoch: `e${index}` }),
    })
    const transport = client(hub)
    const events = numbered(3)
    const receipts = events.map((event) => transport.publish(event))
    await hub.hears('pub', 3)
    hub.server.faults.reset()
    await Promise.all(receipts)
    await transport.publish(createEvent('a', 4, { id: 'new' }))
    expect(hub.events(1)).toEqual([...events.map(({ id }, i) => `rep ${i + 1} ${id}`), 'pub 4 new'])
  })

  test('because the hub requires another session gets one', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => {
        if (index > 0) return confirm(line)
        hub.latest.close(4409, 'pub hole')
        return undefined
      },
      welcome: (_hello, index) => ({ sid: `s${index}` }),
    })
    const transport = client(hub)
    const event = createEvent('a', 1)
    await transport.publish(event)
    expect(hub.hellos[1]?.sid).toBeUndefined()
    expect(hub.events(1)).toEqual([`rep 1 ${event.id}`])
  })
})

describe('a hub that breaks the rules', () => {
  const rude = async (
    say: (hub: LiteralHub) => void,
  ): Promise<{ hub: LiteralHub; transport: WebSocketTransport; kinds: string[] }> => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 && line.startsWith('pub') ? undefined : confirm(line)),
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = client(hub)
    const notices = record(transport)
    await transport.connect()
    const publish = transport.publish(createEvent('a', 1))
    await hub.hears('pub')
    say(hub)
    expect(await publish).toMatchObject({ status: 'confirmed', attempts: 2 })
    const kinds = only(notices, 'error').map(({ kind }) => kind)
    expect(only(notices, 'undeliverable').map(({ reason }) => reason)).toEqual(['undecodable'])
    return { hub, transport, kinds }
  }

  test.each([
    ['acknowledges what it was never sent', 'ok 2'],
    ['says a line that means nothing', 'nonsense 1'],
    ['says a line with a number that is none', 'ok 01'],
    ['says an empty line', ''],
    ['welcomes twice', `welcome ${JSON.stringify({ sid: 'x' })}`],
    ['sends an event without a body', 'ev 1 a x'],
    ['sends an event of a type outside the grammar', 'ev 1 a..b x {}'],
  ])(
    'because it %s loses its link, which a new one makes good, told once [F69]',
    async (_what, line) => {
      const { hub, transport, kinds } = await rude((h) => h.say(line))
      expect(kinds.filter((kind) => kind === 'decode')).toHaveLength(1)
      expect(hub.hellos).toHaveLength(2)
      expect(hub.hellos[1]?.sid).toBe('sid-1')
      expect(transport.status.state).toBe('ready')
    },
  )

  test('right behind its welcome is no reason to give up: the next link is made', async () => {
    const hub = await startLiteralHub({
      welcome: (_hello, index) => {
        if (index === 0) setImmediate(() => hub.say('nonsense 1'))
        return {}
      },
    })
    const transport = client(hub)
    expect(await transport.publish(createEvent('a', 1))).toMatchObject({ status: 'confirmed' })
    expect(hub.hellos).toHaveLength(2)
  })

  test('because it sends bytes loses its link as well [F68]', async () => {
    const { hub } = await rude((h) => h.latest.send(new Uint8Array([1, 2])))
    expect(hub.hellos).toHaveLength(2)
  })

  test('loses none of its own events that stood behind the bad line', async () => {
    const event = (n: number): string =>
      `ev ${n} a id-${n} {"payload":${n},"metadata":{"timestamp":1}}`
    const hub = await startLiteralHub({
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = client(hub)
    const sink = await collect(transport, 'a')
    hub.say(event(1), 'ev oops', event(2))
    hub.say(event(3))
    await hub.welcomed(2)
    expect(hub.hellos[1]).toMatchObject({ epoch: 'epoch-1', offset: 0 })
    hub.say(event(2), event(3), event(4))
    await until(() => sink.events.length === 4, 'all four')
    expect(sink.payloads).toEqual([1, 2, 3, 4])
  })

  test('is no reason to suspect an event of ours', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index < 4 && line.startsWith('pub') ? 'nonsense 1' : confirm(line)),
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = client(hub)
    expect(await transport.publish(createEvent('a', 1))).toMatchObject({
      status: 'confirmed',
      attempts: 5,
    })
  })

  test.each([
    ['talks before it welcomes', (h: LiteralHub) => h.say('ok 1')],
    [
      'resumes a session that was never there',
      (h: LiteralHub) => h.say(welcomeOf({ resumed: true })),
    ],
    ['says a welcome of another shape', (h: LiteralHub) => h.say('welcome {"sid":7}')],
  ])('because it %s is tried again', async (_what, say) => {
    const hub = await startLiteralHub({
      welcome: (_hello, index) => {
        if (index > 0) return {}
        say(hub)
        return undefined
      },
    })
    const transport = client(hub)
    await transport.connect({ retry: true })
    expect(await transport.publish(createEvent('a', 1))).toMatchObject({ status: 'confirmed' })
    expect(hub.hellos).toHaveLength(2)
  })
})

describe('a hub that sends its clients away', () => {
  test.each([
    ['asks to be left alone for a while', 'bye {"code":4503,"retryAfterMs":300}', 300],
    ['asks all to spread their return', 'bye {"code":1001,"spreadMs":600}', 300],
    ['asks for both', 'bye {"code":1001,"retryAfterMs":100,"spreadMs":400}', 300],
    ['asks for nothing', 'bye {"code":1001}', 0],
  ])('and %s is obeyed once [F36]', async (_what, line, waitMs) => {
    const hub = await startLiteralHub()
    const transport = client(hub, { random: () => 0.5, reconnect: { backoff: () => 5 } })
    const notices = record(transport)
    await transport.connect()
    hub.say(line)
    hub.latest.close(1001, 'going away')
    await hub.welcomed(2)
    hub.latest.close(1001, 'going away')
    await hub.welcomed(3)
    const waits = only(notices, 'status').flatMap(({ status }) =>
      status.state === 'backoff' ? [status.delayMs] : [],
    )
    expect(waits).toEqual([waitMs + 5, 5])
  })

  test('because another took its session ends the transport [F44]', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    await transport.connect()
    hub.latest.close(4410, 'replaced')
    await until(() => transport.status.state === 'closed', 'the end')
    expect(hub.hellos).toHaveLength(1)
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('draining', () => {
  test('waits for what is not confirmed', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = client(hub)
    const receipt = watch(transport.publish(createEvent('a', 1)))
    await hub.hears('pub')
    const drained = watch(transport.drain())
    await until(() => transport.status.state === 'draining', 'the drain')
    expect([drained.value, receipt.value]).toEqual([undefined, undefined])
    hub.say('ok 1')
    await until(() => drained.value !== undefined, 'the report')
    expect(drained.value).toEqual({ unsent: [], unhandled: 0 })
    expect(receipt.value?.status).toBe('confirmed')
  })

  test('goes on over a link that breaks meanwhile', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = client(hub)
    const receipt = transport.publish(createEvent('a', 1))
    await hub.hears('pub')
    const drained = transport.drain()
    hub.server.faults.reset()
    expect(await drained).toEqual({ unsent: [], unhandled: 0 })
    expect(await receipt).toMatchObject({ status: 'confirmed', attempts: 2 })
  })

  test('without a hub reports what was left, each with what is known of it', async () => {
    const before = resources()
    const hub = await startLiteralHub({
      answer: (line) => (line.startsWith('pub 2 ') ? 'no 2 auth' : undefined),
    })
    const transport = client(hub)
    const events = numbered(3)
    const seen = events.map((event) => watch(transport.publish(event)))
    await hub.hears('pub', 3)
    await until(() => seen[1]?.error !== undefined, 'the refusal')
    hub.server.faults.refuse(503)
    hub.server.faults.reset()
    await until(() => transport.status.state === 'backoff', 'the loss')
    const late = createEvent('a', 'late')
    seen.push(watch(transport.publish(late)))
    const report = await transport.drain({ timeoutMs: 50 })
    expect(report.unsent).toEqual([events[0]?.id, events[2]?.id, late.id])
    await until(() => seen.every(({ error }) => error !== undefined), 'all to end')
    expect(seen.map(({ error }) => (error as { outcome: string }).outcome)).toEqual([
      'unknown',
      'rejected',
      'unknown',
      'not-sent',
    ])
    await hub.server.close()
    await leavesNothing(before)
  })
})

function welcomeOf(change: object): string {
  const limits = { maxEventBytes: 1, maxLineBytes: 1, window: { events: 1, bytes: 1 }, ackMs: 1 }
  const rest = { last: 0, epoch: 'e', head: 0, limits, heartbeatMs: 1, subs: [], gaps: [] }
  return `welcome ${JSON.stringify({ sid: 'other', ...rest, ...change })}`
}
