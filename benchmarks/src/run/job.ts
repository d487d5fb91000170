/** A job: a broker's process and a client's process that live for one measurement. */
import type { Broker } from '../contenders/contender.ts'
import { Child } from '../processes/child.ts'
import type { Usage } from '../processes/usage.ts'
import type { OpenOrder } from '../questions/order.ts'

/** A broker that runs in a process of its own. */
export interface RunningBroker {
  readonly url: string
  /** Collects its garbage, where it runs on Node. */
  readonly collect: () => Promise<void>
  readonly usage: () => Promise<Usage>
}

/** How a process is to be started. */
export interface StartOptions {
  /** Options of Node. */
  readonly nodeOptions?: readonly string[]
  /** How many events the log of the broker keeps. */
  readonly keep?: number
}

/** Makes the client take one of its steps. */
export type Step = <T>(name: string) => Promise<T>

/** Starts a contender's broker and ends it after the work. */
export async function withBroker<T>(
  contender: string,
  work: (broker: RunningBroker) => Promise<T>,
  { nodeOptions, keep }: StartOptions = {},
): Promise<T> {
  await using child = new Child('broker-process.js', nodeOptions)
  const { url } = await child.call<Broker>('start', { contender, keep })
  return await work({
    url,
    collect: async () => await child.call<void>('collect'),
    usage: async () => await child.call<Usage>('usage'),
  })
}

/** Starts a client, opens it, and ends it after the work. */
export async function withClient<T>(
  order: OpenOrder,
  work: (step: Step) => Promise<T>,
  { nodeOptions }: Pick<StartOptions, 'nodeOptions'> = {},
): Promise<T> {
  await using child = new Child('client-process.js', nodeOptions)
  await child.call('open', order)
  return await work(async (name) => await child.call('step', name))
}
