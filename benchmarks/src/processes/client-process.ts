/** The client's process: contains the publisher and the subscribers of one question, and takes its steps on command. */
import { openClient } from '../questions/client.ts'
import type { OpenOrder, QuestionClient } from '../questions/order.ts'
import { serve, type Methods } from './call.ts'

serve(clientMethods())

function clientMethods(): Methods {
  let client: QuestionClient | undefined
  return {
    open: async (order: OpenOrder): Promise<void> => {
      client = await openClient(order)
    },
    step: async (name: string): Promise<unknown> => {
      const step = client?.[name]
      if (step === undefined) throw new RangeError(`There is no step ${name}`)
      return await step()
    },
  }
}
