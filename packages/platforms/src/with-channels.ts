/** A dialect with channel subscriptions: any protocol, made to ask its server for channels. */
import {
  overlay,
  type Frame,
  type PlainProtocol,
  type ProtocolReceiver,
} from '@bus/websocket/protocol'
import { ChannelSubscriptions } from './channel-subscriptions.ts'
import type { ChannelSubscriptionsOptions } from './channels/channel-options.ts'
import { composeProtocol } from './compose-protocol.ts'

/** What {@link withChannels} adds to a protocol. */
export interface WithChannels {
  /** Subscribing by hand, and how each subscription stands. */
  readonly channels: ChannelSubscriptions
}

/**
 * The protocol, with channels that are asked for as somebody subscribes to their events or by `channels.subscribe`, and
 * again on each new link, all with one request, before it is ready.
 *
 * The protocol reads the events that the channels bring; what it cannot read is shown to `answer`.
 *
 * @param options - a function where they need the protocol itself, as requests of `jsonRpcProtocol` do
 * @throws `ConfigError` naming the option
 * @example
 * ```ts
 * import { withChannels } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 * import { plainJson } from '@bus/websocket/protocol'
 *
 * const protocol = withChannels(plainJson(), {
 *   subscribe: (channels, { id }) => JSON.stringify({ op: 'subscribe', id, channels }),
 *   unsubscribe: (channels, { id }) => JSON.stringify({ op: 'unsubscribe', id, channels }),
 *   answer: (frame) => {
 *     const { id, error } = JSON.parse(String(frame)) as { id?: number; error?: string }
 *     if (id === undefined) return undefined
 *     return error === undefined ? { id } : { id, error }
 *   },
 * })
 * const transport = webSocketTransport({ url: 'wss://feed.example', protocol })
 * await transport.connect()
 * await protocol.channels.subscribeBatch(['trades.BTC', 'trades.ETH'], { size: 1 })
 * ```
 */
export function withChannels<P extends PlainProtocol>(
  protocol: P,
  options: ChannelSubscriptionsOptions | ((protocol: P) => ChannelSubscriptionsOptions),
): P & WithChannels {
  const channels = new ChannelSubscriptions(
    typeof options === 'function' ? options(protocol) : options,
  )
  const composed = overlay(composeProtocol(protocol, { subscriptions: channels.part }), {
    decode: (frame: Frame, receiver: ProtocolReceiver): void => {
      try {
        protocol.decode(frame, receiver)
      } catch (error) {
        // An answer that nobody waited for is no event, and no mistake either.
        if (!channels.heard(frame)) throw error
      }
    },
    clone: () => withChannels((protocol.clone?.() ?? protocol) as P, options),
  })
  return Object.assign(composed as P, { channels })
}
