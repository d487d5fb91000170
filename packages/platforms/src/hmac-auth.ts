/** Authentication by signature: a key names us, and an HMAC with the secret proves it. */
import { createHmac, randomUUID } from 'node:crypto'
import { check, checkOptions, type Check } from '@bus/core/kit'
import type { Frame } from '@bus/websocket/protocol'
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

/** What a signature can be about. */
export interface HmacParts {
  /** The public part of the credentials. */
  readonly key: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
  /** The same in whole seconds. */
  readonly seconds: number
  /** A text that was never used before. */
  readonly nonce: string
}

/** The parts with their signature. */
export interface HmacSigned extends HmacParts {
  readonly signature: string
}

/** The options of {@link hmacAuth}. */
export interface HmacAuthOptions extends AuthPolicy {
  /** The public part of the credentials. */
  readonly key: string
  /** What signs; never sent and never shown. */
  readonly secret: string | Uint8Array
  /** The hash function of the HMAC. @default 'sha256' */
  readonly algorithm?: 'sha256' | 'sha384' | 'sha512' | undefined
  /** How the signature is written. @default 'hex' */
  readonly encoding?: 'hex' | 'base64' | undefined
  /** The text that is signed, as UTF-8. @default the key and `seconds`, one behind the other */
  readonly stringToSign?: ((parts: HmacParts) => string) | undefined
  /**
   * Makes the message: an object is sent as JSON, text and bytes as they are.
   * @default { type: 'auth', timestamp: seconds, api_key: key, signature }
   */
  readonly message?: ((signed: HmacSigned) => unknown) | undefined
  /** Makes the nonce of each message. @default crypto.randomUUID */
  readonly nonce?: (() => string) | undefined
  /** Reads the answer; `false`: there is none. @default readAuthAnswer */
  readonly read?: AuthReader | false | undefined
}

const secret: Check = check.required(
  check.where('to be a non-empty text or bytes', (value) =>
    value instanceof Uint8Array ? value.length > 0 : typeof value === 'string' && value !== '',
  ),
)

/**
 * Says who we are with a key and a signature: `HMAC(secret, stringToSign)`, made anew each time.
 *
 * @throws `ConfigError` for a bad option, also when key or secret are missing. No message shows the secret.
 * @example
 * ```ts
 * import { hmacAuth } from '@bus/platforms'
 *
 * // Deribit's `client_signature`, which signs the timestamp, the nonce and no data.
 * const auth = hmacAuth({
 *   key: 'client-id',
 *   secret: 'client-secret',
 *   stringToSign: ({ timestamp, nonce }) => `${timestamp}\n${nonce}\n`,
 *   message: ({ key, timestamp, nonce, signature }) => ({
 *     jsonrpc: '2.0',
 *     id: 'auth',
 *     method: 'public/auth',
 *     params: { grant_type: 'client_signature', client_id: key, timestamp, nonce, signature, data: '' },
 *   }),
 * })
 * ```
 */
export function hmacAuth(options: HmacAuthOptions): AuthHandler {
  checkOptions<HmacAuthOptions>('', options, {
    ...policyShape,
    key: check.required(check.string({ nonEmpty: true })),
    secret,
    algorithm: check.oneOf(['sha256', 'sha384', 'sha512']),
    encoding: check.oneOf(['hex', 'base64']),
    stringToSign: check.func,
    message: check.func,
    nonce: check.func,
    read: check.falseOr(check.func),
  })
  const { key, algorithm = 'sha256', encoding = 'hex', nonce = randomUUID } = options
  const { stringToSign = keyAndSeconds, message = signedMessage, read = readAuthAnswer } = options
  const secrets = typeof options.secret === 'string' ? [options.secret] : []
  let shown = ''
  const answer = (frame: Frame, reader: AuthReader): AuthAnswer | undefined => {
    const found = reader(parseFrame(frame))
    return found && withoutSecrets(found, [...secrets, shown, key])
  }
  return {
    ...policyOf(options),
    credentials: ({ now }) => {
      const parts = { key, timestamp: now, seconds: Math.floor(now / 1_000), nonce: nonce() }
      shown = createHmac(algorithm, options.secret).update(stringToSign(parts)).digest(encoding)
      return toFrame(message({ ...parts, signature: shown }))
    },
    ...(read === false ? {} : { onResponse: (frame: Frame) => answer(frame, read) }),
  }
}

function keyAndSeconds({ key, seconds }: HmacParts): string {
  return `${key}${seconds}`
}

function signedMessage({ key, seconds, signature }: HmacSigned): unknown {
  return { type: 'auth', timestamp: seconds, api_key: key, signature }
}
