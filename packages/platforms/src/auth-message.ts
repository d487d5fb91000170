/** Messages about authentication as JSON: written, read by their usual names, and kept free of secrets. */
import { REDACTED, printable } from '@bus/core/kit'
import type { Frame } from '@bus/websocket/protocol'
import type { AuthAnswer } from './auth.ts'

/** Reads a message of the server, parsed if it is JSON; `undefined`: it is not about authentication. */
export type AuthReader = (message: unknown) => AuthAnswer | undefined

/**
 * The answers of servers that name them `auth_success` and `auth_error` in `type`.
 *
 * A success may have `expires_in` in seconds, `expires_at` in seconds since 1970, and a `token` for the next time; an
 * error has its reason in `reason` or `message`.
 */
export function readAuthAnswer(message: unknown): AuthAnswer | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const answer = message as Readonly<Record<string, unknown>>
  if (answer['type'] === 'auth_error') {
    const reason = answer['reason'] ?? answer['message']
    return { accepted: false, reason: typeof reason === 'string' ? reason : '' }
  }
  if (answer['type'] !== 'auth_success') return undefined
  const { expires_at: at, expires_in: within, token } = answer
  return {
    accepted: true,
    ...(isSeconds(within) ? { expiresInMs: within * 1_000 } : {}),
    ...(isSeconds(at) ? { expiresAt: at * 1_000 } : {}),
    ...(typeof token === 'string' && token !== '' ? { token } : {}),
  }
}

/** A frame as its JSON value; `undefined` when it holds none. */
export function parseFrame(frame: Frame): unknown {
  try {
    return JSON.parse(typeof frame === 'string' ? frame : new TextDecoder().decode(frame))
  } catch {
    return undefined
  }
}

/** The frame of a message: text and bytes are sent as they are, anything else as JSON. */
export function toFrame(message: unknown): Frame {
  const isFrame = typeof message === 'string' || message instanceof Uint8Array
  return isFrame ? message : JSON.stringify(message)
}

/** The answer without the secrets, which servers like to repeat, and with a reason that fits a line. */
export function withoutSecrets(answer: AuthAnswer, secrets: readonly string[]): AuthAnswer {
  if (answer.accepted) return answer
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)])
  const hide = (text: string, secret: string): string =>
    secret === '' ? text : text.replaceAll(secret, REDACTED)
  return { accepted: false, reason: printable(forms.reduce(hide, answer.reason)) }
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
