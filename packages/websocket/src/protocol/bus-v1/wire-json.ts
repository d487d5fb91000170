/** The JSON objects of `hello`, `welcome`, `auth` and `bye`: parsed within a depth, read member by member. */
import { isWithinDepth } from '@bus/core'
import { MAX_JSON_DEPTH } from './limits.ts'

/** A JSON object of which only named members are read; nothing of it is ever merged into anything. */
export type WireRecord = Readonly<Record<string, unknown>>

/** The object that the text is; `undefined` when it is none, or nested too deeply. */
export function parseRecord(text: string): WireRecord | undefined {
  if (!isWithinDepth(text, MAX_JSON_DEPTH)) return undefined
  try {
    return asRecord(JSON.parse(text))
  } catch {
    // Why a stranger's text is not JSON helps nobody; the caller names the line.
    return undefined
  }
}

/** The value as an object with members; `undefined` for arrays, `null` and everything else. */
export function asRecord(value: unknown): WireRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WireRecord)
    : undefined
}
