/** Authentication by token: one message shows it, and the server accepts or refuses. */
import { ConfigError } from '@bus/core'
import { check, checkOptions, type Check } from '@bus/core/kit'
import type { AuthContext, TokenSource } from '@bus/websocket'
import { askToken, type Frame } from '@bus/websocket/protocol'
import {
  parseFrame,
  readAuthAnswer,
  toFrame,
  withoutSecrets,
  type AuthReader,
} from './auth-message.ts'
import {
  policyOf,
  policyShape,
  type AuthAnswer,
  type AuthHandler,
  type AuthPolicy,
} from './auth.ts'

/** The options of {@link tokenAuth}. */
export interface TokenAuthOptions extends AuthPolicy {
  /** The token, or a function that gets one each time it is needed. */
  readonly token: TokenSource
  /**
   * Makes the message that shows it: an object is sent as JSON, text and bytes as they are.
   * @default { type: 'auth', timestamp (seconds since 1970), token }
   */
  readonly message?: ((token: string, context: AuthContext) => unknown) | undefined
  /** Reads the answer; `false`: there is none. @default readAuthAnswer */
  readonly read?: AuthReader | false | undefined
}

const token: Check = check.required((path, value) => {
  if (typeof value === 'function' || (typeof value === 'string' && value !== '')) return
  throw ConfigError.expected(path, 'to be a token or a function that gets one', value)
})

/**
 * Says who we are with a token.
 *
 * A token that the server gives with its answer is shown from then on, until it is refused; unless `token` is a
 * function, which is asked each time.
 *
 * @throws `ConfigError` for a bad option, also when the token is missing. No message shows a token.
 * @example
 * ```ts
 * import { tokenAuth, withAuth } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 * import { plainJson } from '@bus/websocket/protocol'
 *
 * const auth = tokenAuth({ token: () => fetch('https://id.example/token').then((r) => r.text()) })
 * const protocol = withAuth(plainJson(), auth)
 * const transport = webSocketTransport({ url: 'wss://api.example/feed', protocol })
 * ```
 */
export function tokenAuth(options: TokenAuthOptions): AuthHandler {
  checkOptions<TokenAuthOptions>('', options, {
    ...policyShape,
    token,
    message: check.func,
    read: check.falseOr(check.func),
  })
  const { token: source, message = tokenMessage, read = readAuthAnswer } = options
  let issued: string | undefined
  let shown = ''
  let expiresAt: number | undefined
  const answer = (frame: Frame, reader: AuthReader): AuthAnswer | undefined => {
    const found = reader(parseFrame(frame))
    if (found === undefined) return undefined
    issued = found.accepted ? (found.token ?? issued) : undefined
    return withoutSecrets(found, [shown])
  }
  return {
    ...policyOf(options),
    get isFixed() {
      return typeof source === 'string' && shown === source
    },
    credentials: async (context) => {
      const own = typeof source === 'string' ? (issued ?? source) : source
      const asked = await askToken(own, context)
      shown = asked.token
      expiresAt = asked.expiresAt
      return toFrame(message(shown, context))
    },
    expiresAt: () => expiresAt,
    ...(read === false ? {} : { onResponse: (frame: Frame) => answer(frame, read) }),
  }
}

function tokenMessage(text: string, { now }: AuthContext): unknown {
  return { type: 'auth', timestamp: Math.floor(now / 1_000), token: text }
}
