/** Subscribing, unsubscribing and publishing at random, compared with a reference model after each step. */
import assert from 'node:assert/strict'
import type { Bus, Random } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { integerBetween } from '../../../chaos/seeded-random.ts'
import { numbers } from '../../case-tools/publishing.ts'
import type { Inbox } from '../../world/inbox.ts'
import type { World } from '../../world/world.ts'
import { type Due, ModelBus } from './churn-model.ts'

/** Steps, and operations of each. Where nothing is in order each step ends with a quiet period: fewer of them, with more in each. */
const MANY_SMALL = { steps: 100, operations: 20 }
const FEW_LARGE = { steps: 25, operations: 80 }

export const churn: ConformanceCase = {
  id: 'C6',
  level: 'MUST',
  title:
    'two thousand random subscribes, unsubscribes and publishes deliver what a reference model delivers',
  limitMs: 60_000,
  async run(world) {
    const isOrdered = world.capabilities.ordering !== 'none'
    const { steps, operations } = isOrdered ? MANY_SMALL : FEW_LARGE
    const run = new ChurnRun(world, operations)
    await run.start()
    for (let step = 1; step <= Math.ceil(steps * world.effort); step++) await run.step(step)
  },
}

const BUSES = 3
const MOST_LIVE = 12

/** The shares of a step; what is left is published afterwards. */
const CHANGES = 0.3
const PUBLISHES_MEANWHILE = 0.2

const TYPES = ['a', 'A', 'b', 'a.b', 'a.c', 'a.b.c', 'b.a']
const EXACT = [['a'], ['A'], ['a.b'], ['a', 'b'], ['a.b.c', 'a.b']]
const WILD = [['a.*'], ['a.>'], ['*'], ['>'], ['a.b', 'a.*'], ['*.b', 'a.>', 'a.b']]

/** The payload of what no subscription of the model takes into account. */
const FENCE = -1

/** What is done to the buses is done to the model. */
class ChurnRun {
  readonly #world: World
  readonly #operations: number
  readonly #model: ModelBus
  readonly #buses: readonly Bus[]
  readonly #inboxes = new Map<string, Inbox>()
  /** One for each bus. What it got of every other shows that nothing before that is under way. */
  #fences: readonly Inbox[] = []
  #passed = 0
  #named = 0
  #published = 0
  /** The operations of this step. */
  #log: string[] = []

  /** @param operations - of each step, a multiple of 10 */
  constructor(world: World, operations: number) {
    this.#world = world
    this.#operations = operations
    this.#model = new ModelBus(world.capabilities.echo)
    this.#buses = numbers(BUSES).map(() => world.bus())
  }

  async start(): Promise<void> {
    const fences = this.#buses.map((bus) => this.#world.collect(bus, 'fence'))
    this.#fences = await Promise.all(fences)
  }

  /** Subscriptions come and go while events are published; then more are published; then everything is compared. */
  async step(step: number): Promise<void> {
    this.#log = []
    const changes = this.#operations * CHANGES
    const early = this.#operations * PUBLISHES_MEANWHILE
    const late = this.#operations - changes - early
    const meanwhile = [
      ...numbers(changes).map(() => this.#change()),
      ...numbers(early).map(() => this.#publish()),
    ]
    await this.#world.all(meanwhile, `the changes of step ${step}`)
    const gone = this.#model.settle()
    const publishes = numbers(late).map(() => this.#publish())
    await this.#world.all(publishes, `the publishes of step ${step}`)
    await this.#passFence()
    for (const [name, due] of [...gone, ...this.#model.due]) this.#compare(step, name, due)
    for (const name of gone.keys()) this.#inboxes.delete(name)
  }

  async #change(): Promise<unknown> {
    const { random } = this.#world
    const { live, size } = this.#model
    const mayLeave = live.length > 0
    if (mayLeave && (size >= MOST_LIVE || random() < 0.5)) {
      return await this.#unsubscribe(pick(random, live))
    }
    return await this.#subscribe()
  }

  async #subscribe(): Promise<void> {
    const { random, capabilities } = this.#world
    const name = `s${++this.#named}`
    const bus = integerBetween(random, 0, BUSES - 1)
    const patterns = pick(random, capabilities.wildcards ? [...EXACT, ...WILD] : EXACT)
    this.#log.push(`${name}: bus ${bus} subscribes to ${patterns.join(', ')}`)
    this.#model.subscribe({ name, bus, patterns })
    this.#inboxes.set(name, await this.#world.collect(this.#bus(bus), patterns))
  }

  async #unsubscribe(name: string): Promise<void> {
    this.#log.push(`${name} unsubscribes`)
    this.#model.unsubscribe(name)
    await this.#inboxes.get(name)?.subscription.unsubscribe()
  }

  async #publish(): Promise<unknown> {
    const { random } = this.#world
    const bus = integerBetween(random, 0, BUSES - 1)
    const type = pick(random, TYPES)
    const payload = this.#published++
    this.#log.push(`bus ${bus} publishes ${payload} as ${type}`)
    this.#model.publish(bus, type, payload)
    return await this.#bus(bus).publish(type, payload)
  }

  /** Behind everything that was published, over every way. */
  async #passFence(): Promise<void> {
    const { capabilities } = this.#world
    const fences = this.#buses.map((bus) => bus.publish('fence', FENCE))
    await this.#world.all(fences, 'the fences')
    this.#passed += capabilities.echo ? BUSES : BUSES - 1
    const hasPassed = ({ events }: Inbox): boolean => events.length >= this.#passed
    await this.#world.until(() => this.#fences.every(hasPassed), 'every fence to arrive')
    if (capabilities.ordering === 'none') await this.#world.quiet()
  }

  #compare(step: number, name: string, { must, may }: Due): void {
    const { payloads = [] } = this.#inboxes.get(name) ?? {}
    const got = (payloads as number[]).filter((payload) => payload !== FENCE)
    const missing = must.filter((payload) => !got.includes(payload))
    const extra = got.filter(
      (payload, at) =>
        got.indexOf(payload) !== at || (!must.includes(payload) && !may.includes(payload)),
    )
    const difference = `In step ${step}, ${name} did not get ${missing.join()}, and got ${extra.join()} for nothing`
    assert.ok(missing.length + extra.length === 0, [difference, ...this.#log].join('\n'))
  }

  #bus(number: number): Bus {
    return this.#buses[number] as Bus
  }
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[integerBetween(random, 0, values.length - 1)] as T
}
