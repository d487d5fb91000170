/** Coinbase's dialect: a message is an event of each channel that brings it, and a hole in the numbers of `full` is an event too. */
import { DecodeError, UnsupportedError, createEvent } from '@bus/core'
import {
  definePlainProtocol,
  plainJson,
  type Frame,
  type PlainProtocol,
  type ProtocolReceiver,
} from '@bus/websocket/protocol'
import { channelsWith } from './channels.ts'
import { Sequence } from './sequence.ts'

/** A message of the feed, as far as the dialect looks at it. */
export interface FeedMessage {
  readonly type: string
  readonly product_id: string
  /** Not of a snapshot or an update of the order book. */
  readonly sequence?: number
}

/** The payload of the event `gap.<product>`: so many messages of the full channel never came. */
export interface FeedGap {
  readonly missing: number
  readonly before: number
}

/** The dialect, which has to know what is subscribed to: a match belongs to `matches`, to `full`, or to both. */
export interface CoinbaseFeed extends PlainProtocol {
  readonly subscribed: Set<string>
}

/** Speaks with Coinbase for one transport: a new one has seen nothing yet. */
export function coinbaseFeed(): CoinbaseFeed {
  const sequences = new Map<string, Sequence>()
  const subscribed = new Set<string>()
  const protocol = definePlainProtocol({
    name: 'coinbase',
    subprotocols: [],
    capabilities: plainJson().capabilities,
    encode: ({ type }) => {
      throw new UnsupportedError('coinbase', `publishing \`${type}\``)
    },
    decode: (frame, receiver) => {
      const message = read(frame)
      const { type: kind, product_id: product } = message
      for (const channel of channelsWith(kind, product)) {
        if (!subscribed.has(channel)) continue
        if (channel === `full:${product}` && !follow(sequences, message, receiver)) continue
        receiver.event(createEvent(channel.replace(':', '.'), message), 0)
      }
    },
    clone: coinbaseFeed,
  })
  return Object.assign(protocol, { subscribed })
}

/** Reports a gap before it. @returns whether the message is new: one that came before is not passed on */
function follow(
  sequences: Map<string, Sequence>,
  { product_id: product, sequence: number = 0 }: FeedMessage,
  receiver: ProtocolReceiver,
): boolean {
  const sequence = sequences.get(product) ?? new Sequence()
  sequences.set(product, sequence)
  const step = sequence.take(number)
  if (step.kind === 'gap') {
    const gap: FeedGap = { missing: step.missing, before: number }
    receiver.event(createEvent(`gap.${product}`, gap), 0)
  }
  return step.kind !== 'old'
}

/** @throws `DecodeError` for what is about no product: `withChannels` shows that to `answer` */
function read(frame: Frame): FeedMessage {
  const message = JSON.parse(String(frame)) as Partial<FeedMessage>
  if (message.type === undefined || message.product_id === undefined) {
    throw new DecodeError('The frame is no message of the feed')
  }
  return message as FeedMessage
}
