/** Binance as a platform: streams that the URL names, and more of them while the connection is open. */
import { DecodeError, UnsupportedError, createEvent, isType } from '@bus/core'
import {
  definePlatform,
  withChannels,
  type ChannelAnswer,
  type Platform,
  type WithChannels,
} from '@bus/platforms'
import {
  definePlainProtocol,
  plainJson,
  type Frame,
  type PlainProtocol,
} from '@bus/websocket/protocol'
import { streamOf, typeOf } from './names.ts'

/** What comes: an event of a stream, or the answer to a request. */
interface Message {
  readonly stream?: string
  readonly data?: unknown
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly msg: string }
}

/** Each event comes in an envelope that names its stream. */
function combinedStreams(): PlainProtocol {
  const { capabilities } = plainJson()
  return definePlainProtocol({
    name: 'binance',
    subprotocols: [],
    capabilities,
    encode: ({ type }) => {
      throw new UnsupportedError('binance', `publishing \`${type}\``)
    },
    decode: (frame, receiver) => {
      const { stream, data } = read(frame)
      if (stream === undefined) throw new DecodeError('The frame is no event of a stream')
      receiver.event(createEvent(typeOf(stream), data), 0)
    },
  })
}

/** @param streams - in the URL, so that they come from the first moment on, over every connection */
export function binance(...streams: readonly string[]): Platform<PlainProtocol & WithChannels> {
  return definePlatform({
    name: 'binance',
    url: combined('wss://stream.binance.com:9443', streams),
    protocol: () =>
      withChannels(combinedStreams(), {
        subscribe: (params, { id }) => JSON.stringify({ method: 'SUBSCRIBE', params, id }),
        unsubscribe: (params, { id }) => JSON.stringify({ method: 'UNSUBSCRIBE', params, id }),
        answer,
        // What the URL names needs no request, and what has wildcards gets what others ask for.
        channelsOf: (pattern) =>
          !isType(pattern) || streams.includes(streamOf(pattern)) ? [] : [streamOf(pattern)],
        channelsPerRequest: 200,
      }),
  })
}

/** The URL of several streams over one connection. */
export function combined(server: string, streams: readonly string[]): string {
  // Literally: Binance does not want its slashes and `@` escaped.
  return `${server}/stream?streams=${streams.join('/')}`
}

function answer(frame: Frame): ChannelAnswer | undefined {
  const { id, error } = read(frame)
  if (id === undefined) return undefined
  return error === undefined ? { id } : { id, error: error.msg }
}

function read(frame: Frame): Message {
  return JSON.parse(String(frame)) as Message
}
