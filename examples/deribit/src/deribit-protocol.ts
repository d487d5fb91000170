/** Deribit's dialect: JSON-RPC whose events come in notifications named `subscription`. */
import { UnsupportedError, createEvent, isType, type Event } from '@bus/core'
import { JsonRpcProtocol, type JsonRpcOptions } from '@bus/platforms'
import type { ProtocolLink } from '@bus/websocket/protocol'
import { setHeartbeat } from './methods.ts'

/** Seconds between two heartbeats of the server; it takes none below 10. */
const HEARTBEAT_S = 30
/** Deribit's "too many requests": the same request can succeed later. */
const TOO_MANY_REQUESTS = 10_028

/** Speaks with Deribit for one transport. */
export class DeribitProtocol extends JsonRpcProtocol {
  constructor(options: JsonRpcOptions = {}) {
    super({
      toEvent: tickOf,
      toNotification: ({ type }) => {
        throw new UnsupportedError('deribit', `publishing \`${type}\`: use a request`)
      },
      isRetryable: ({ code }) => code === TOO_MANY_REQUESTS,
      ...options,
    })
  }

  /** Runs on each new connection, before the credentials are shown. */
  override async authenticate(link: ProtocolLink): Promise<void> {
    await super.authenticate(link)
    await this.over(link).request(setHeartbeat, { interval: HEARTBEAT_S })
  }
}

/** The channel is the type, so that subscribing to it asks Deribit for it. */
function tickOf({
  method,
  params,
}: {
  readonly method: string
  readonly params?: unknown
}): Event | undefined {
  if (method !== 'subscription') return undefined
  const { channel, data } = params as { readonly channel?: unknown; readonly data?: unknown }
  return isType(channel) ? createEvent(channel, data) : undefined
}
