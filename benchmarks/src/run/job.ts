/** A job: a broker's process and a client's process that live for one measurement. */
import type { Broker } from '../contenders/contender.ts'
import { Child } from '../processes/child.ts'
import type { Usage } from '../processes/usage.ts'
import type { OpenOrder } from '../questions/client.ts'

/** A broker that runs in a process of its own. */
export interface RunningBroker {
  readonly url: string
  readonly usage: () => Promise<Usage>
}

/** Makes the client take one of its steps. */
export type Step = <T>(name: string) => Promise<T>

/** Starts a contender's broker and ends it after the work. */
export async function withBroker<T>(
  contender: string,
  work: (broker: RunningBroker) => Promise<T>,
): Promise<T> {
  await using child = new Child('broker-process.js')
  const { url } = await child.call<Broker>('start', contender)
  return await work({ url, usage: async () => await child.call<Usage>('usage') })
}

/** Starts a client, opens it, and ends it after the work. */
export async function withClient<T>(
  order: OpenOrder,
  work: (step: Step) => Promise<T>,
): Promise<T> {
  await using child = new Child('client-process.js')
  await child.call('open', order)
  return await work(async (name) => await child.call('step', name))
}
