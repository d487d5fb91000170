/** Deribit as a platform: what it expects of every client, in one place. */
import { RejectedError } from '@bus/core'
import { definePlatform, deribitHeartbeat, type Platform, type RpcCaller } from '@bus/platforms'
import { deribitAuth, type DeribitCredentials } from './deribit-auth.ts'
import { DeribitProtocol } from './deribit-protocol.ts'
import { subscribe, subscribePrivate, unsubscribe } from './methods.ts'

/** For the test network, give `open` the url `wss://test.deribit.com/ws/api/v2`. */
export function deribit(credentials: DeribitCredentials): Platform<DeribitProtocol> {
  return definePlatform({
    name: 'deribit',
    url: 'wss://www.deribit.com/ws/api/v2',
    protocol: () => new DeribitProtocol(),
    auth: () => deribitAuth(credentials),
    heartbeat: () => deribitHeartbeat(),
    subscriptions: (rpc) => ({
      subscribe: (channels, link) => subscribeTo(rpc.over(link), channels),
      unsubscribe: async (channels, link) => {
        await rpc.over(link).request(unsubscribe, { channels })
      },
    }),
  })
}

/** @throws `RejectedError` when Deribit leaves one out */
async function subscribeTo(caller: RpcCaller, channels: readonly string[]): Promise<void> {
  const isPrivate = (channel: string): boolean => channel.startsWith('user.')
  const open = channels.filter((channel) => !isPrivate(channel))
  const own = channels.filter(isPrivate)
  const taken = [
    ...(open.length === 0 ? [] : await caller.request(subscribe, { channels: open })),
    ...(own.length === 0 ? [] : await caller.request(subscribePrivate, { channels: own })),
  ]
  const missing = channels.filter((channel) => !taken.includes(channel))
  if (missing.length > 0) throw new RejectedError(`Deribit has no channel ${missing.join(', ')}`)
}
