/** The process of a cycler. */
import { takeStock, type Holdings } from '../measure/heap.ts'
import { serve } from '../process/serve.ts'
import { Cycler } from './cycler.ts'

/** What it can be asked. */
export interface CyclerDuties {
  readonly prepare: (order: { url: string; deadUrl: string }) => void
  readonly open: (clients: number) => Promise<void>
  readonly openInVain: (clients: number) => void
  readonly returned: (total: number) => Promise<void>
  readonly refused: (dials: number) => Promise<void>
  readonly subscribe: (cycles: number) => Promise<void>
  readonly abort: (cycles: number) => Promise<number>
  readonly leftListeners: () => number
  readonly close: () => Promise<void>
  readonly takeStock: () => Promise<Holdings>
}

function newDuties(): CyclerDuties {
  let made: Cycler | undefined
  const cycler = (): Cycler => {
    if (made === undefined) throw new Error('The cycler is not prepared yet')
    return made
  }
  return {
    prepare: ({ url, deadUrl }) => void (made = new Cycler(url, deadUrl)),
    open: (clients) => cycler().open(clients),
    openInVain: (clients) => cycler().openInVain(clients),
    returned: (total) => cycler().returned(total),
    refused: (dials) => cycler().refused(dials),
    subscribe: (cycles) => cycler().subscribe(cycles),
    abort: (cycles) => cycler().abort(cycles),
    leftListeners: () => cycler().leftListeners,
    close: () => cycler().close(),
    takeStock,
  }
}

serve(newDuties())
