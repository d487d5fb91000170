/** The process of an audience. */
import { serve } from '../process/serve.ts'
import { Audience, type AudienceOrder, type ReaderState } from './audience.ts'

/** What it can be asked. */
export interface AudienceDuties {
  readonly come: (order: AudienceOrder) => Promise<void>
  readonly states: () => readonly ReaderState[]
  readonly takeLatencies: () => Float64Array
  readonly go: () => Promise<void>
}

function newDuties(): AudienceDuties {
  const audience = new Audience()
  return {
    come: (order) => audience.come(order),
    states: () => audience.states(),
    takeLatencies: () => audience.takeLatencies(),
    go: () => audience.go(),
  }
}

serve(newDuties())
