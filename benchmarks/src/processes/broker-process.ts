/** The broker's process: starts one contender's broker and tells what it uses. */
import { loadContender } from '../contenders/catalogue.ts'
import type { Broker } from '../contenders/contender.ts'
import { serve, type Methods } from './call.ts'
import { usageOf } from './usage.ts'

/** Which broker to start. */
export interface StartOrder {
  readonly contender: string
  /** See `Contender.startBroker`. */
  readonly keep?: number | undefined
}

serve(brokerMethods())

function brokerMethods(): Methods {
  let pid = process.pid
  return {
    start: async ({ contender: name, keep }: StartOrder): Promise<Broker> => {
      const contender = await loadContender(name)
      const broker = await contender.startBroker(keep)
      pid = broker.pid
      return broker
    },
    // A native server has its own memory and no garbage collector that we could ask.
    collect: () => {
      if (pid === process.pid) globalThis.gc?.()
    },
    usage: () => usageOf(pid),
  }
}
