/** The broker's process: starts one contender's broker and tells what it uses. */
import { loadContender } from '../contenders/catalogue.ts'
import type { Broker } from '../contenders/contender.ts'
import { serve, type Methods } from './call.ts'
import { usageOf } from './usage.ts'

serve(brokerMethods())

function brokerMethods(): Methods {
  let pid = process.pid
  return {
    start: async (name: string): Promise<Broker> => {
      const contender = await loadContender(name)
      const broker = await contender.startBroker()
      pid = broker.pid
      return broker
    },
    usage: () => {
      // A native server has its own memory and no garbage collector that we could ask.
      if (pid === process.pid) globalThis.gc?.()
      return usageOf(pid)
    },
  }
}
