/** Outages that are longer than what is kept: of the medium behind a hub, of a publisher, of a subscriber. */
import {
  createBus,
  createEvent,
  DisconnectedError,
  UnsupportedError,
  type Transport,
} from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, numbered, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, pubs, sub } from './wire-client.ts'

/** A medium that is away from time to time. */
function failing(): {
  readonly backend: Transport
  isDown: boolean
  attempts: number
  readonly medium: ReturnType<typeof memoryMedium>
} {
  const medium = memoryMedium()
  const inner = memoryTransport({ medium })
  const state = { medium, isDown: false, attempts: 0, backend: inner }
  state.backend = new Proxy(inner, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'publish') return member.bind(target)
      return async (...args: Parameters<Transport['publish']>) => {
        state.attempts++
        if (state.isDown) throw new DisconnectedError('The medium is away')
        return await target.publish(...args)
      }
    },
  })
  return state
}

test('while the backend is down nothing is confirmed, subscribers of this hub go on, and everything is there once it is back [F165]', async () => {
  const medium = failing()
  const errors: unknown[] = []
  const hub = await startHub({ backend: medium.backend, onError: (error) => errors.push(error) })
  const other = await startHub({ backend: memoryTransport({ medium: medium.medium }) })
  const [near, far] = [
    await collect(transportTo(hub, { protocol: busV1() }), '>'),
    await collect(transportTo(other, { protocol: busV1() }), '>'),
  ]
  const publisher = transportTo(hub, { protocol: busV1() })
  await publisher.publish(createEvent('before', 0))
  medium.isDown = true
  let confirmed = 0
  const events = numbered(100)
  const publishes = events.map(async (event) => {
    const { status } = await publisher.publish(event)
    confirmed++
    return status
  })
  await until(() => near.events.length === 101, 'the subscribers of the same hub')
  const { attempts } = medium
  await until(() => medium.attempts >= attempts + 200, 'each was tried again and again')
  expect(confirmed).toBe(0)
  expect(hub.stats().backend).toMatchObject({ shared: 1, waiting: 100, refused: 0 })
  expect(hub.stats().connections).toBe(2)
  medium.isDown = false
  expect(new Set(await Promise.all(publishes))).toEqual(new Set(['confirmed']))
  await until(() => far.events.length === 101, 'the other hub')
  expect(far.events.map(({ id }) => id).toSorted()).toEqual(
    near.events.map(({ id }) => id).toSorted(),
  )
  expect(new Set(errors.map((error) => (error as DisconnectedError).code))).toEqual(
    new Set(['disconnected']),
  )
})

test('a backend that is down holds back publishers within their windows, and no more than that [F165]', async () => {
  const medium = failing()
  medium.isDown = true
  const hub = await startHub({ backend: medium.backend, limits: { window: { events: 50 } } })
  const client = await greet(hub)
  client.say(...pubs(1, 50))
  await until(() => hub.stats().backend?.waiting === 50, 'all wait')
  client.say(pub(51, 'one beyond the window'))
  await expect(client.closed).resolves.toEqual({ code: 4409, reason: 'pub window' })
  expect(client.heard('ok')).toEqual([])
  medium.isDown = false
  await until(() => hub.stats().backend?.waiting === 0, 'all are shared')
})

test('a medium that delivers at most once refuses what demands more, and is taken for a backend with what it promises [F166]', async () => {
  const transport = memoryTransport({ medium: memoryMedium() })
  expect(transport.capabilities.delivery).toBe('at-most-once')
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const demands = { delivery: 'at-least-once' } as const
  await expect(bus.publish('a', 1, demands)).rejects.toBeInstanceOf(UnsupportedError)
  await expect(bus.subscribe('a', () => {}, demands)).rejects.toBeInstanceOf(UnsupportedError)
  // The promise of a hub is its own: what it has confirmed is in its log, whatever becomes of it elsewhere.
  const hub = await startHub({ backend: memoryTransport({ medium: memoryMedium() }) })
  const client = createBus({ transport: transportTo(hub, { protocol: busV1() }) })
  onTestFinished(() => client.close())
  await expect(client.publish('a', 1, demands)).resolves.toMatchObject({ status: 'confirmed' })
})

test('an outage that outlives the session of a publisher doubles nothing: readers know what came before [F167]', async () => {
  const hub = await startHub({ sessionTtlMs: 30 })
  const reader = await collect(transportTo(hub, { protocol: busV1() }), '>')
  const first = await greet(hub)
  const { sid, epoch } = first.welcome
  first.say(...pubs(1, 20))
  await first.line('ok 20')
  await until(() => reader.events.length === 20, 'all came')
  first.ws.terminate()
  await until(() => hub.stats().busV1.sessions === 1, 'the session is forgotten')
  // As if the last confirmations had been lost with the link: ten are sent again under new numbers, and two are new.
  const second = await greet(hub, { sid, epoch })
  expect(second.welcome).toMatchObject({ resumed: false, last: 0 })
  second.say(
    ...pubs(11, 20).map((line) => renumbered(line, -10)),
    ...pubs(21, 22).map((line) => renumbered(line, -10)),
  )
  await second.line('ok 12')
  await until(() => reader.payloads.includes(22), 'the new ones')
  expect(reader.payloads).toEqual(Array.from({ length: 22 }, (_, i) => i + 1))
})

/** The line of an event that is sent again, with another number and the id that it had. */
function renumbered(line: string, by: number): string {
  return line.replace(/^pub (\d+)/, (_match, n: string) => `rep ${Number(n) + by}`)
}

test('a subscriber that is away while the log is trimmed past its cursor gets a gap for what it missed, and then everything else [F169]', async () => {
  const hub = await startHub({ log: { maxEvents: 10 }, holdMs: 20 })
  const publisher = await greet(hub)
  const first = await greet(hub, { subs: [sub(1, 'order.*'), sub(2, 'other', 'amo')] })
  const { sid, epoch } = first.welcome
  publisher.say(...pubs(1, 5))
  await first.events(5)
  first.say('ack 3')
  await first.settled()
  first.ws.terminate()
  await until(() => hub.stats().connections === 1, 'it is away')
  publisher.say(...pubs(6, 40))
  await publisher.line('ok 40')
  const second = await greet(hub, { sid, epoch, offset: 3, subs: [sub(1, 'order.*')] })
  expect(second.welcome).toMatchObject({
    resumed: true,
    gaps: [{ from: 4, to: 30, why: 'overrun' }],
  })
  await second.events(10)
  expect(second.payloads).toEqual(Array.from({ length: 10 }, (_, i) => i + 31))
})
