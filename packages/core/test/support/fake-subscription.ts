/** A subscription whose transport and bus are played by the test. */
import { HandlingScope, type SubscriptionHost } from '../../src/bus/handler-runner.ts'
import { HandlerSubscription } from '../../src/bus/subscription.ts'
import { resolveSubscribeOptions } from '../../src/bus/subscribe-options.ts'
import { createEvent, type Event } from '../../src/contract/event.ts'
import type { Handler, SubscribeOptions } from '../../src/contract/subscriber.ts'
import type { Feed, Undeliverable } from '../../src/contract/transport.ts'
import { SimulatedClock, deferred, type Deferred } from '@bus/test-support'

/** A feed that remembers what it was told. */
class FakeFeed implements Feed {
  readonly live: Promise<void> = Promise.resolve()
  readonly settled: number[] = []
  readies = 0
  hasEnded = false
  onReady: () => void = () => {}
  ready(): void {
    this.readies++
    this.onReady()
  }
  settle(token: number): void {
    this.settled.push(token)
  }
  unsubscribe(): Promise<void> {
    this.hasEnded = true
    return Promise.resolve()
  }
}

/** A subscription with a fake feed and host. */
export function setUp(
  handler: Handler,
  options: SubscribeOptions = {},
  host: Partial<SubscriptionHost> = {},
) {
  const feed = new FakeFeed()
  const clock = new SimulatedClock()
  const lost: Undeliverable[] = []
  const errors: Error[] = []
  const pressure: string[] = []
  const subscription = new HandlerSubscription({
    id: 's1',
    patterns: ['a.>'],
    handler,
    options: resolveSubscribeOptions(options),
    host: {
      clock,
      random: () => 0.5,
      scope: new HandlingScope(),
      hasDeadLetters: true,
      giveUp: (undeliverable) => lost.push(undeliverable) > 0,
      announce: (undeliverable) => void lost.push(undeliverable),
      store: () => true,
      report: (_kind, error) => errors.push(error),
      pressure: (_subscription, level) => pressure.push(level),
      retrying: () => {},
      ended: () => {},
      ...host,
    },
  })
  subscription.attach(feed)
  let token = 0
  const deliver = (n = token, type = 'a.b'): boolean =>
    subscription.deliver(createEvent(type, n), token++)
  return { subscription, feed, clock, lost, errors, pressure, deliver }
}

/** A handler whose every call is ended by the test. */
export function manual() {
  const calls: (Deferred<void> & { event: Event })[] = []
  let live = 0
  let most = 0
  const handler: Handler = async (event) => {
    most = Math.max(most, ++live)
    const call = { ...deferred(), event }
    calls.push(call)
    try {
      await call.promise
    } finally {
      live--
    }
  }
  return { handler, calls, most: () => most }
}
