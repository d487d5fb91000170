/** The names of Coinbase's channels: what is subscribed to, and the events that come. */
import { ConfigError, isType } from '@bus/core'

/** Channels of one kind, as Coinbase lists them. */
export interface ChannelList {
  readonly name: string
  readonly product_ids: readonly string[]
}

/** The channels of a product, each with the kinds of message that it brings. */
const KINDS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  full: ['received', 'open', 'done', 'match', 'change', 'activate'],
  heartbeat: ['heartbeat'],
  level2: ['snapshot', 'l2update'],
  level2_batch: ['snapshot', 'l2update'],
  matches: ['match', 'last_match'],
  ticker: ['ticker'],
  ticker_batch: ['ticker'],
})

const KNOWN = Object.keys(KINDS)

/**
 * `ticker.BTC-USD` is the type of the events that the channel `ticker:BTC-USD` brings; wildcards bring nothing of their own.
 *
 * @throws `ConfigError` for a channel that Coinbase does not have
 */
export function channelsOf(pattern: string): readonly string[] {
  if (!isType(pattern)) return []
  const [name = '', product, ...more] = pattern.split('.')
  // Not Coinbase's: the feed itself makes these events.
  if (name === 'gap') return []
  if (product === undefined || more.length > 0 || !KNOWN.includes(name)) {
    const form = `to be a channel and a product, as \`ticker.BTC-USD\`, of ${KNOWN.join(', ')}`
    throw ConfigError.expected('pattern', form, pattern)
  }
  return [`${name}:${product}`]
}

/** The channels of the product that bring messages of this kind. */
export function channelsWith(kind: string, product: string): readonly string[] {
  return KNOWN.filter((name) => KINDS[name]?.includes(kind)).map((name) => `${name}:${product}`)
}

/** Grouped by kind, as Coinbase wants them. */
export function toLists(channels: readonly string[]): readonly ChannelList[] {
  const byName = new Map<string, string[]>()
  for (const channel of channels) {
    const [name = '', product = ''] = channel.split(':')
    byName.set(name, [...(byName.get(name) ?? []), product])
  }
  return [...byName].map(([name, products]) => ({ name, product_ids: products }))
}

/** One by one, as we count them. */
export function fromLists(lists: readonly ChannelList[]): readonly string[] {
  return lists.flatMap(({ name, product_ids: products }) =>
    products.map((product) => `${name}:${product}`),
  )
}
