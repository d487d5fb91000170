/** The lines that a client sends besides events: written as text, read from what follows the verb. */
import { isPattern } from '@bus/core'
import { isCode, type LineFault } from './limits.ts'
import { isMode, isToken, type WireSubscription } from './hello.ts'
import { NOT_A_NUMBER, isWireNumber, parseNumber, parseRecord } from './fields.ts'

/** The line of an event. @param n - its number, or 0 for at most once */
export function publishLineText(
  n: number,
  type: string,
  id: string,
  body: string,
  resent = false,
): string {
  return `${resent ? 'rep' : 'pub'} ${n === 0 ? '-' : n} ${type} ${id} ${body}`
}

/** The line that subscribes. */
export function subscribeLine({ id, pattern, mode, from }: WireSubscription): string {
  return `sub ${id} ${pattern} ${mode}${from === undefined ? '' : ` ${from}`}`
}

/** The line that ends a subscription. */
export function unsubscribeLine(id: number): string {
  return `unsub ${id}`
}

/** The line that settles everything up to an offset. */
export function ackLine(offset: number): string {
  return `ack ${offset}`
}

/** The line with fresh credentials. */
export function authLine(token: string): string {
  return `auth ${JSON.stringify({ token })}`
}

/** What follows `sub `: `<id> <pattern> <mode> [<from>]`. */
export function readSubscribe(text: string): WireSubscription | LineFault {
  const fields = text.split(' ', 5)
  if (fields.length < 3 || fields.length > 4) return 'fields'
  const [idText = '', pattern = '', mode = '', fromText] = fields
  const id = parseNumber(idText, 0, idText.length)
  if (id === NOT_A_NUMBER) return 'id'
  if (!isPattern(pattern)) return 'pattern'
  if (!isMode(mode)) return 'mode'
  if (fromText === undefined) return { id, pattern, mode }
  const from = parseNumber(fromText, 0, fromText.length)
  return from === NOT_A_NUMBER ? 'offset' : { id, pattern, mode, from }
}

/** What follows `auth `. */
export function readAuth(json: string): { readonly token: string } | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  const { token } = wire
  return isToken(token) ? { token } : 'shape'
}

/** A side's last word before it closes. */
export interface Bye {
  /** The close code that follows, or a short code. */
  readonly code: number | string
  /** Come back no sooner than this, in milliseconds. */
  readonly retryAfterMs?: number
  /** Spread over this many milliseconds, with everybody else who was told so. */
  readonly spreadMs?: number
}

/** The line that says it. */
export function byeLine(bye: Bye): string {
  return `bye ${JSON.stringify(bye)}`
}

/** What follows `bye `. */
export function readBye(json: string): Bye | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  const { code, retryAfterMs, spreadMs } = wire
  if (
    !(isWireNumber(code) || isCode(code)) ||
    (retryAfterMs !== undefined && !isWireNumber(retryAfterMs)) ||
    (spreadMs !== undefined && !isWireNumber(spreadMs))
  ) {
    return 'shape'
  }
  return {
    code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(spreadMs === undefined ? {} : { spreadMs }),
  }
}
