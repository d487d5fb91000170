/** The options as they are printed: without header values, query values, certificates and keys. */
import { inspect } from 'node:util'
import { REDACTED, redactUrl } from '@bus/core'
import type { ResolvedOptions, TlsOptions } from './options.ts'

/** Gives the options their `toJSON` and their look in `console.log`, neither of which is copied by a spread. */
export function printRedacted(options: ResolvedOptions): ResolvedOptions {
  const print = (): unknown => printed(options)
  return Object.defineProperties(options, {
    toJSON: { value: print },
    [inspect.custom]: { value: print },
  })
}

function printed(options: ResolvedOptions): unknown {
  const { clock: _clock, random: _random, ...rest } = options
  return plain({
    ...rest,
    url: redactUrl(options.url),
    protocol: options.protocol.name,
    applicationHeartbeat: options.applicationHeartbeat?.name,
    headers: typeof options.headers === 'function' ? options.headers : hideAll(options.headers),
    handlers: options.handlers === undefined ? undefined : Object.keys(options.handlers),
    // A collector may hold whatever it likes.
    metrics: options.metrics === undefined ? undefined : 'collector',
    record: options.record === undefined ? undefined : printedRecord(options.record),
    tls: options.tls === undefined ? undefined : printedTls(options.tls),
  })
}

function printedRecord({ to, ...rest }: NonNullable<ResolvedOptions['record']>): unknown {
  return { ...rest, to: typeof to === 'string' ? to : 'stream' }
}

function printedTls(tls: TlsOptions): unknown {
  const { servername, minVersion, rejectUnauthorized, ...secret } = tls
  return { servername, minVersion, rejectUnauthorized, ...hideAll(secret) }
}

function hideAll(record: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(record).map((name) => [name, REDACTED]))
}

/** JSON has no functions and no infinity, and leaves out what is undefined; say so rather than print `null`. */
function plain(value: unknown): unknown {
  if (typeof value === 'function') return '[function]'
  if (value === Infinity) return 'Infinity'
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, plain(item)]),
  )
}
