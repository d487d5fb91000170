/** Who we are to Deribit: by client credentials, renewed before they end. */
import { jsonrpc, type AuthAnswer, type AuthHandler } from '@bus/platforms'

/** As they stand in the account's settings. */
export interface DeribitCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

interface Granted {
  readonly expires_in: number
}

const ID = 'auth'

/** Asks anew each time: on each connection, and before what was granted ends. */
export function deribitAuth({ clientId, clientSecret }: DeribitCredentials): AuthHandler {
  const request = jsonrpc.request(ID, 'public/auth', {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  })
  return {
    isFixed: true,
    credentials: () => JSON.stringify(request),
    onResponse: (frame): AuthAnswer | undefined => {
      const message = jsonrpc.match(frame)
      if (message?.kind === 'error' && message.id === ID) {
        return { accepted: false, reason: message.error.message }
      }
      if (message?.kind !== 'result' || message.id !== ID) return undefined
      const { expires_in: seconds } = message.result as Granted
      return { accepted: true, expiresInMs: seconds * 1_000 }
    },
  }
}
