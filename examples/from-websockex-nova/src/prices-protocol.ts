/** The dialect of the price server: channels are subscribed by messages, and prices come as ticks. */
import { DecodeError, RejectedError, createEvent } from '@bus/core'
import {
  plainJson,
  type Frame,
  type PlainProtocol,
  type ProtocolLink,
} from '@bus/websocket/protocol'

interface Message {
  readonly type?: string
  readonly channel?: string
  readonly price?: number
  readonly reason?: string
}

const ANSWERS: ReadonlySet<string> = new Set(['subscribed', 'unsubscribed', 'refused'])

function read(frame: Frame): Message {
  return JSON.parse(String(frame)) as Message
}

/** What an adapter's `encode_subscription_request` and `handle_platform_message` are elsewhere. */
export function pricesProtocol(): PlainProtocol {
  const ask = async (type: string, channel: string, link: ProtocolLink): Promise<void> => {
    const answer = link.waitFor((frame) => {
      const message = read(frame)
      const isAnswer = ANSWERS.has(message.type ?? '')
      return isAnswer && message.channel === channel ? message : undefined
    })
    await link.send(JSON.stringify({ type, channel }))
    const { type: verdict, reason } = await answer
    if (verdict === 'refused') throw new RejectedError(`No channel ${channel}: ${reason}`)
  }
  return {
    ...plainJson(),
    name: 'prices',
    decode: (frame, receiver) => {
      const { type = '', channel = '', price } = read(frame)
      // An answer that came after its question was given up.
      if (ANSWERS.has(type)) return
      if (type !== 'tick') throw new DecodeError(`A message of type ${type}`)
      receiver.event(createEvent(channel, { price }), 0)
    },
    subscribe: async (channels, link) => {
      await Promise.all(channels.map((channel) => ask('subscribe', channel, link)))
    },
    unsubscribe: async (channels, link) => {
      await Promise.all(channels.map((channel) => ask('unsubscribe', channel, link)))
    },
  }
}
