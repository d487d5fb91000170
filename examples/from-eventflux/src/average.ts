/** The processing: the mean price of each symbol over a window of trades. */

/** A trade as the exchange sends it. */
export interface Trade {
  readonly s: string
  readonly p: string
  readonly q: string
}

/** What is published when a window is full. */
export interface Average {
  readonly symbol: string
  readonly price: number
  readonly trades: number
}

/** Weighs each price with its quantity. */
export class Averages {
  readonly #size: number
  readonly #windows = new Map<string, Trade[]>()

  /** @param size - trades of one symbol that make a window */
  constructor(size: number) {
    this.#size = size
  }

  /** The average, when this trade fills the window of its symbol. */
  add(trade: Trade): Average | undefined {
    const window = [...(this.#windows.get(trade.s) ?? []), trade]
    this.#windows.set(trade.s, window.length === this.#size ? [] : window)
    if (window.length < this.#size) return undefined
    const volume = sum(window, ({ q }) => Number(q))
    const value = sum(window, ({ p, q }) => Number(p) * Number(q))
    return { symbol: trade.s, price: value / volume, trades: window.length }
  }
}

function sum(trades: readonly Trade[], of: (trade: Trade) => number): number {
  return trades.reduce((total, trade) => total + of(trade), 0)
}
