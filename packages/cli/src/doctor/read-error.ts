/** Reads an error out of a text that others wrote: a line of a log, a stack, JSON. Nothing in it is trusted. */
import {
  ConnectionError,
  HandlerError,
  HandshakeError,
  type BusError,
  type BusErrorCode,
  type BusErrorOptions,
} from '@bus/core'
import { isBusErrorCode } from './error-advice.ts'
import { systemAdvice } from './system-advice.ts'

/** Characters that are read; what an error is stands at its beginning. */
export const MAX_ERROR_CHARACTERS = 262_144
/** How far causes are followed. */
const MAX_DEPTH = 8
/** Where the error stands in an entry of a log. */
const CAUSES = ['cause', 'error', 'err'] as const
/** Names of classes that are not made of their code. */
const CODES_BY_CLASS: ReadonlyMap<string, BusErrorCode> = new Map([
  ['Abort', 'aborted'],
  ['Aborted', 'aborted'],
  ['RateLimit', 'rate-limited'],
])

/** An error of the bus that was written down. Advice is found by the code alone, so that any class will do. */
function busError(code: BusErrorCode, message: string, options: BusErrorOptions): BusError {
  return Object.assign(new HandlerError(message, options), { code, name: 'BusError' })
}

/** What `explain` takes, from a text or from the JSON of an error. */
export function readError(text: string): Error {
  const read = text.slice(0, MAX_ERROR_CHARACTERS).trim()
  return (read.startsWith('{') ? fromJson(read) : undefined) ?? fromText(read)
}

function fromJson(text: string): Error | undefined {
  try {
    return fromValue(JSON.parse(text), 0)
  } catch {
    // Text that merely begins like JSON, or JSON that was cut.
    return undefined
  }
}

/** Only own members count: a text may name those of a prototype. */
function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

function fromValue(value: unknown, depth: number): Error | undefined {
  if (typeof value === 'string') return fromText(value)
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return undefined
  const named = CAUSES.find((name) => memberOf(value, name) !== undefined)
  const cause = named === undefined ? undefined : fromValue(memberOf(value, named), depth + 1)
  const options = cause === undefined ? {} : { cause }
  const text = memberOf(value, 'message')
  const message = typeof text === 'string' ? text : ''
  const code = memberOf(value, 'code')
  const status = memberOf(value, 'status')
  if (typeof status === 'number') return handshakeError(status)
  const closeCode = memberOf(value, 'closeCode')
  if (typeof closeCode === 'number') return new ConnectionError(message, { ...options, closeCode })
  if (typeof code === 'string' && isBusErrorCode(code)) {
    return busError(code, message, cause === undefined ? causeIn(message) : options)
  }
  if (typeof code === 'string' || typeof code === 'number') {
    return Object.assign(new Error(message, options), { code })
  }
  if (cause !== undefined) return new Error(message, options)
  return message === '' ? new Error(JSON.stringify(value)) : fromText(message)
}

/** The text may name the class or the code of the bus, and why it failed: each alone is enough. */
function fromText(text: string): Error {
  const code = busCodeIn(text)
  const options = causeIn(text)
  return code === undefined
    ? ((options.cause as Error | undefined) ?? new Error(text))
    : busError(code, text, options)
}

/** A code of the system, a status, a close code: the first that the text names, in this order. */
function causeIn(text: string): BusErrorOptions {
  for (const [word] of text.matchAll(/\b[A-Z][A-Z0-9_]{3,60}\b/g)) {
    if (systemAdvice(word) !== undefined) {
      return { cause: Object.assign(new Error(text), { code: word }) }
    }
  }
  const [, status] = /\b(?:status(?: code)?|response):? (\d{3})\b/i.exec(text) ?? []
  if (status !== undefined) return { cause: handshakeError(Number(status)) }
  const [, closeCode] = /\bcode:? (\d{4})\b/i.exec(text) ?? []
  if (closeCode === undefined) return {}
  return { cause: new ConnectionError(text, { closeCode: Number(closeCode) }) }
}

function busCodeIn(text: string): BusErrorCode | undefined {
  const [, code] = /\bcode['"]?: ?['"]([a-z-]{1,30})['"]/.exec(text) ?? []
  if (code !== undefined && isBusErrorCode(code)) return code
  for (const [, name = ''] of text.matchAll(/\b([A-Z][A-Za-z]{1,40})Error\b/g)) {
    const byName = name.replaceAll(/(?!^)[A-Z]/g, '-$&').toLowerCase()
    const found = CODES_BY_CLASS.get(name) ?? byName
    if (isBusErrorCode(found)) return found
  }
  return undefined
}

function handshakeError(status: number): HandshakeError {
  return new HandshakeError({ status, headers: {}, body: '' })
}
