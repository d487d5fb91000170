/** The names of Coinbase's channels: what is subscribed to, and the events that come. */
import { isType } from '@bus/core'

/** Channels of one kind, as Coinbase lists them. */
export interface ChannelList {
  readonly name: string
  readonly product_ids: readonly string[]
}

/** `ticker.BTC-USD` is the type of the events that the channel `ticker:BTC-USD` brings; wildcards bring nothing. */
export function channelsOf(pattern: string): readonly string[] {
  const [name, product, ...more] = pattern.split('.')
  const isChannel = isType(pattern) && product !== undefined && more.length === 0
  return isChannel && name !== 'gap' ? [`${name}:${product}`] : []
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
