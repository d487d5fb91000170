/** Coinbase as a platform: it hangs up on who subscribes to nothing within five seconds. */
import {
  definePlatform,
  withChannels,
  type ChannelAnswer,
  type Platform,
  type WithChannels,
} from '@bus/platforms'
import type { Frame, Protocol } from '@bus/websocket/protocol'
import { channelsOf, fromLists, toLists, type ChannelList } from './channels.ts'
import { coinbaseFeed } from './coinbase-feed.ts'

interface Answer {
  readonly type?: string
  readonly channels?: readonly ChannelList[]
  readonly message?: string
  readonly reason?: string
}

/** Subscribe on the bus before `connect`: what is wanted by then is the first that Coinbase hears. */
export function coinbase(): Platform<Protocol & WithChannels> {
  return definePlatform({
    name: 'coinbase',
    url: 'wss://ws-feed.exchange.coinbase.com',
    protocol: () =>
      withChannels(coinbaseFeed(), ({ subscribed }) => ({
        subscribe: (channels) => {
          for (const channel of channels) subscribed.add(channel)
          return request('subscribe', channels)
        },
        unsubscribe: (channels) => {
          for (const channel of channels) subscribed.delete(channel)
          return request('unsubscribe', channels)
        },
        answer,
        channelsOf,
      })),
    // The subscriptions are part of making the connection ready: after this, another one is made.
    options: { timeouts: { bootstrapMs: 5_000 } },
  })
}

function request(type: 'subscribe' | 'unsubscribe', channels: readonly string[]): string {
  return JSON.stringify({ type, channels: toLists(channels) })
}

/** An answer has no id: it tells everything that is subscribed to by now, or what was wrong. */
function answer(frame: Frame): ChannelAnswer | undefined {
  const { type, channels = [], message = '', reason } = JSON.parse(String(frame)) as Answer
  if (type === 'subscriptions') return { current: fromLists(channels) }
  if (type === 'error') return { error: reason ?? message }
  return undefined
}
