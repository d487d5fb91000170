/** Scrubbing: a refusing server often repeats what we asked it, and with it our secrets. */
import { REDACTED } from '@bus/core'
import type { Headers } from '../options/headers.ts'

/** Shorter texts are no secrets, and hiding them would make the rest unreadable. */
const MIN_LENGTH = 6

/** Hides the values of these headers, word by word, and of the URL's query, in any text. */
export function scrubber(url: string, headers: Headers): (text: string) => string {
  const { search, searchParams } = new URL(url)
  const values = [
    ...searchParams.values(),
    ...search.slice(1).split(/[&=]/),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/[\s,;=]+/)]),
  ]
  const secrets = [...new Set(values)].filter((value) => value.length >= MIN_LENGTH)
  // The longest first: a secret may be a part of another.
  secrets.sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text)
}
