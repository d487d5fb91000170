/** The dialect of the feed: a frame holds several trades, or only says that the feed is alive. */
import { frameHandlerProtocol, type FrameHandler, type Protocol } from '@bus/websocket/protocol'

/** What happened, in the order of `n`. */
export interface Trade {
  readonly n: number
  readonly price: number
}

/** The state is the number of the last trade: what a new link repeats is left out. */
const trades: FrameHandler<number> = {
  init: () => 0,
  handle: (frame, last) => {
    if (frame === 'alive') return { skip: true }
    const { list } = JSON.parse(String(frame)) as { readonly list: readonly Trade[] }
    const fresh = list.filter(({ n }) => n > last)
    return {
      emit: fresh.map((payload) => ({ type: 'trade', payload })),
      state: list.at(-1)?.n ?? last,
    }
  },
}

/** Each client needs one of its own. */
export function tradeProtocol(): Protocol {
  return frameHandlerProtocol(trades)
}
