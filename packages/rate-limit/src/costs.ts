/** Costs: how many tokens of a rate limit a message takes, as well-known servers count. */
import { check, checkOptions, type Shape } from '@bus/core/kit'

/**
 * What a message costs: an event, a request with a `method`, or the bare name of either. Of an event whose payload is
 * such a request the payload's method counts, else the event's type.
 */
export type CostFunction = (message: unknown) => number

/** What a cost map does beyond what it names. */
export interface CostMapOptions {
  /** Tokens for a name that the map does not have: a number ≥ 0. @default 1 */
  readonly defaultCost?: number | undefined
}

/** The presets. */
export interface Costs {
  /** Credits of Deribit by method: `public/…` 1, `private/get_…` 5, `private/set_…` 10, buying and selling 15, else 5. */
  readonly deribit: CostFunction
  /** Weights of Binance by method: `klines` 2, else 1. */
  readonly binance: CostFunction
  /** 1 for everything: servers that count messages. */
  readonly simple: CostFunction
  /** By a table of names. @throws `ConfigError` for a cost that is no number ≥ 0 */
  map(table: Readonly<Record<string, number>>, options?: CostMapOptions): CostFunction
}

const OPTIONS: Shape<CostMapOptions> = Object.freeze({ defaultCost: check.number({ min: 0 }) })

const TRADES: ReadonlySet<string> = new Set(['private/buy', 'private/sell'])

/**
 * Costs for the option `cost`.
 *
 * @example
 * ```ts
 * import { RateLimiter, costs } from '@bus/rate-limit'
 *
 * const limiter = new RateLimiter({ capacity: 500, refill: 100, cost: costs.deribit })
 * ```
 */
export const costs: Costs = Object.freeze({
  deribit: (message: unknown): number => {
    const name = nameOf(message)
    if (name.startsWith('public/')) return 1
    if (name.startsWith('private/set_')) return 10
    return TRADES.has(name) ? 15 : 5
  },
  binance: (message: unknown): number => (nameOf(message) === 'klines' ? 2 : 1),
  simple: (): number => 1,
  map: (table: Readonly<Record<string, number>>, options: CostMapOptions = {}): CostFunction => {
    check.recordOf(check.number({ min: 0 }))('table', table)
    checkOptions('', options, OPTIONS)
    const { defaultCost = 1 } = options
    const costOf = new Map(Object.entries(table))
    return (message) => costOf.get(nameOf(message)) ?? defaultCost
  },
})

/** Empty where the message has no name. */
function nameOf(message: unknown): string {
  if (typeof message === 'string') return message
  const { payload, method, type } = (message ?? {}) as {
    readonly payload?: { readonly method?: unknown } | null
    readonly method?: unknown
    readonly type?: unknown
  }
  const names = [method, payload?.method, type]
  return names.find((name): name is string => typeof name === 'string') ?? ''
}
