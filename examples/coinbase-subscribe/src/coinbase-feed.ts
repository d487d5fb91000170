/** Coinbase's dialect: a message has its kind, its product and a number, and a hole in the numbers is an event. */
import { DecodeError, UnsupportedError, createEvent } from '@bus/core'
import {
  definePlainProtocol,
  plainJson,
  type Frame,
  type PlainProtocol,
  type ProtocolReceiver,
} from '@bus/websocket/protocol'
import { Sequence } from './sequence.ts'

/** A message of the feed, as far as the dialect looks at it. */
export interface FeedMessage {
  readonly type: string
  readonly product_id: string
  readonly sequence: number
}

/** The payload of the event `gap.<product>`: so many messages of the full channel never came. */
export interface FeedGap {
  readonly missing: number
  readonly before: number
}

/** The messages of the channel `full`, which has every number; other channels have some of them. */
const FULL = new Set(['received', 'open', 'done', 'match', 'change', 'activate'])

/** Speaks with Coinbase for one transport: a new one has seen nothing yet. */
export function coinbaseFeed(): PlainProtocol {
  const sequences = new Map<string, Sequence>()
  return definePlainProtocol({
    name: 'coinbase',
    subprotocols: [],
    capabilities: plainJson().capabilities,
    encode: ({ type }) => {
      throw new UnsupportedError('coinbase', `publishing \`${type}\``)
    },
    decode: (frame, receiver) => {
      const message = read(frame)
      if (FULL.has(message.type)) follow(sequences, message, receiver)
      else receiver.event(createEvent(`${message.type}.${message.product_id}`, message), 0)
    },
    clone: coinbaseFeed,
  })
}

function follow(
  sequences: Map<string, Sequence>,
  message: FeedMessage,
  receiver: ProtocolReceiver,
): void {
  const { product_id: product, sequence: number } = message
  const sequence = sequences.get(product) ?? new Sequence()
  sequences.set(product, sequence)
  const step = sequence.take(number)
  if (step.kind === 'old') return
  if (step.kind === 'gap') {
    const gap: FeedGap = { missing: step.missing, before: number }
    receiver.event(createEvent(`gap.${product}`, gap), 0)
  }
  receiver.event(createEvent(`full.${product}`, message), 0)
}

function read(frame: Frame): FeedMessage {
  const message = JSON.parse(String(frame)) as Partial<FeedMessage>
  const { type, product_id: product, sequence } = message
  if (type === undefined || product === undefined || sequence === undefined) {
    throw new DecodeError('The frame is no message of the feed')
  }
  return message as FeedMessage
}
