/** Cases about the outcome of a publish: a success is a guarantee, a failure says what became of the event. */
import assert from 'node:assert/strict'
import { type Bus, BusError, type Transport } from '@bus/core'
import { arrive, numbers } from '../case-tools/publishing.ts'
import { both, CONFIRMS, type ConformanceCase, DEDUPES, RECONNECTS } from '../case.ts'
import type { World } from '../world/world.ts'
import { lost } from '../case-tools/connections.ts'

const CONFIRMED = 200

export const confirmedArrives: ConformanceCase = {
  id: 'E1',
  level: 'MUST',
  title: 'what is confirmed is received, and what is refused says why and whether to try again',
  needs: CONFIRMS,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = numbers(CONFIRMED).map((n) =>
      sender.publish('order.created', n, { metadata: { id: `event-${n}` } }),
    )
    const receipts = await world.all(published, 'every publish to be confirmed')
    for (const [n, receipt] of receipts.entries()) {
      assert.equal(receipt.id, `event-${n}`, 'the receipt names the event')
      assert.equal(receipt.status, 'confirmed', 'a transport that confirms says so')
      assert.ok(receipt.attempts >= 1, 'what was confirmed was written at least once')
    }
    await arrive(world, inbox, numbers(CONFIRMED))
    await refusesPrecisely(world)
  },
}

async function refusesPrecisely(world: World): Promise<void> {
  const bus = world.bus()
  await world.soon(bus.connect(), 'to connect')
  const unwritable = await failureOf(world, bus.publish('order.created', 1n))
  assert.equal(unwritable.code, 'serialization')
  assert.equal(unwritable.retryable, false, 'what cannot be written can never be written')
  assert.equal(unwritable.outcome, 'not-sent')
  const aborted = await failureOf(
    world,
    bus.publish('order.created', 1, { signal: AbortSignal.abort('enough') }),
  )
  assert.equal(aborted.code, 'aborted')
  assert.equal(aborted.outcome, 'not-sent')
  await world.soon(bus.close(), 'to close')
  const closed = await failureOf(world, bus.publish('order.created', 1))
  assert.equal(closed.code, 'closed')
  assert.equal(closed.retryable, false, 'what is closed stays closed')
  assert.equal(closed.outcome, 'not-sent')
}

/** The error with which the publish rejects. */
async function failureOf(world: World, publishing: Promise<unknown>): Promise<BusError> {
  const settled = publishing.then(
    () => assert.fail('The publish succeeded'),
    (error: unknown) => error,
  )
  const error = await world.soon(settled, 'the publish to be refused')
  assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
  return error
}

const WITHOUT_SUBSCRIBERS = 50

export const withoutSubscribers: ConformanceCase = {
  id: 'E6',
  level: 'MUST',
  title: 'publishing succeeds without any subscriber, and leaves nothing behind',
  async run(world) {
    const sender = world.bus()
    const published = numbers(WITHOUT_SUBSCRIBERS).map((n) => sender.publish('order.created', n))
    const receipts = await world.all(published, 'every publish to succeed')
    const expected = world.capabilities.publishConfirm ? 'confirmed' : 'sent'
    for (const { status } of receipts) {
      assert.ok(status === expected || status === 'confirmed', `the receipt says ${expected}`)
    }
    assert.equal(sender.backpressureStats().size, 0, 'nothing waits any more')
    assert.equal(sender.deadLetters?.size ?? 0, 0, 'an event without subscribers is no dead letter')
    const late = await world.collect(world.bus(), 'order.created')
    await world.quiet()
    assert.deepEqual(late.payloads, [], 'a later subscriber gets only later events')
  },
}

const ROUNDS = 3
const PER_ROUND = 40
/** More than this does not fit, so that every strategy has something to decide. */
const CAPACITY = 25

export const neverResolvedAndDropped: ConformanceCase<'cut'> = {
  id: 'E2',
  level: 'MUST',
  title: 'what is published without a connection resolves and arrives, or is refused and does not',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const receiver = world.bus()
    const inbox = await world.collect(receiver, 'order.>')
    for (const strategy of ['block', 'drop-oldest', 'drop-newest', 'reject'] as const) {
      const transport = world.transport({ queue: { capacity: CAPACITY, strategy } })
      const sender = world.bus({ transport })
      await world.soon(sender.connect(), 'to connect')
      const refused: unknown[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const fates = await publishWithoutLink(world, transport, sender, `${strategy}-${round}`)
        const arrived = (payload: unknown): boolean => inbox.payloads.includes(payload)
        await world.until(
          () => fates.kept.every(arrived),
          `everything that resolved (${strategy}) to arrive`,
          () => fates.kept.filter((payload) => !arrived(payload)),
        )
        refused.push(...fates.refused)
      }
      await world.quiet()
      const refusedButArrived = refused.filter((payload) => inbox.payloads.includes(payload))
      assert.deepEqual(
        refusedButArrived,
        [],
        `what was refused as not sent (${strategy}) does not arrive`,
      )
    }
    assert.equal(new Set(inbox.payloads).size, inbox.events.length, 'nothing arrives twice')
  },
}

interface Fates {
  readonly kept: unknown[]
  /** With outcome `not-sent`. */
  readonly refused: unknown[]
}

/** Publishes in the moment in which the transport learns of the loss. */
async function publishWithoutLink(
  world: World<'cut'>,
  transport: Transport,
  sender: Bus,
  name: string,
): Promise<Fates> {
  const fates: Fates = { kept: [], refused: [] }
  const publishing: Promise<void>[] = []
  const publish = async (payload: string): Promise<void> => {
    try {
      await sender.publish('order.created', payload)
      fates.kept.push(payload)
    } catch (error) {
      assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
      if (error.outcome === 'not-sent') fates.refused.push(payload)
    }
  }
  await world.until(() => transport.status.state === 'ready', 'a link')
  const stop = transport.on('status', ({ status }) => {
    if (status.state === 'ready' || publishing.length > 0) return
    for (let n = 0; n < PER_ROUND; n++) publishing.push(publish(`${name}-${n}`))
  })
  await lost(world, transport, () => world.faults.cut(transport))
  await world.until(() => publishing.length > 0, 'a status without a link')
  stop()
  await world.all(publishing, 'every publish to be settled')
  return fates
}

const LOST_CONFIRMATIONS = 5

export const onceDespiteRetry: ConformanceCase<'loseConfirmation'> = {
  id: 'E4',
  level: 'MUST',
  title: 'an event whose confirmation was lost is confirmed later, and delivered once',
  needs: both(CONFIRMS, DEDUPES),
  faults: ['loseConfirmation'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus({ transport }), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    await world.soon(sender.connect(), 'to connect')
    for (const n of numbers(LOST_CONFIRMATIONS)) {
      await world.until(() => transport.status.state === 'ready', 'a link')
      const links = transport.on('close', () => lostLinks++)
      let lostLinks = 0
      await world.faults.loseConfirmation(transport)
      const receipt = await world.soon(sender.publish('order.created', n), 'the confirmation')
      assert.equal(receipt.status, 'confirmed')
      await world.until(() => lostLinks > 0, 'the link to have been lost')
      links()
    }
    await arrive(world, inbox, numbers(LOST_CONFIRMATIONS))
  },
}
