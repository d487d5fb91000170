/** A logger that writes lines, plain or JSON, for applications without one of their own. */
import { check } from '../config/checks.ts'
import { checkOptions } from '../config/options.ts'
import { errorData } from './error-data.ts'
import { levelOf, type LogLevel, type LogFields, type Logger } from './logger.ts'

/** One entry of a log. */
export interface LogEntry {
  /** Wall clock, milliseconds since 1970. */
  readonly time: number
  readonly level: Exclude<LogLevel, 'silent'>
  readonly message: string
  readonly fields: LogFields
}

/** How lines are written. */
export interface LineLoggerOptions {
  /** Gets each line, without its end: `(line) => process.stderr.write(line + '\n')`. */
  readonly write: (line: string) => void
  /** `plain` for people or `json` for machines; an unknown one counts as `plain`. @default 'plain' */
  readonly format?: 'plain' | 'json' | (string & {}) | undefined
  /** The least that is written: `debug`, `info`, `warn`, `error` or `silent`; an unknown one counts as `info`. @default 'info' */
  readonly level?: LogLevel | (string & {}) | undefined
  /** Wall clock in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
}

/** Characters of one text that are written: some texts are those of the other side. */
const MAX_TEXT = 1_000
/** What would begin another line, reorder this one, or mean something to a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** The names that a line of JSON uses itself. */
const OWN = new Set(['time', 'level', 'message'])

/**
 * The function that makes a line of an entry. An entry is always one line, whatever its texts contain.
 *
 * @param format - `plain` or `json`; `plain` also for any other
 */
export function formatLog(format: string = 'plain'): (entry: LogEntry) => string {
  return format === 'json' ? asJson : asPlain
}

/**
 * Makes a logger of a function that takes lines.
 *
 * @example
 * ```ts
 * import { lineLogger } from '@bus/core'
 *
 * const logger = lineLogger({ write: (line) => process.stderr.write(`${line}\n`), format: 'json', level: 'warn' })
 * logger.warn({ fillRatio: 0.9 }, 'The outbox fills up')
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function lineLogger(options: LineLoggerOptions): Logger {
  checkOptions<LineLoggerOptions>('', options, {
    write: check.required(check.func),
    format: check.string(),
    level: check.string(),
    now: check.func,
  })
  const { write, now = Date.now } = options
  const least = levelOf(options.level)
  const format = formatLog(options.format)
  const log =
    (level: LogEntry['level']) =>
    (fields: LogFields, message: string): void => {
      if (levelOf(level) >= least) write(format({ time: now(), level, message, fields }))
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

function asPlain({ time, level, message, fields }: LogEntry): string {
  const facts = known(fields).map(([name, value]) => `${oneLine(name)}=${text(value)}`)
  const stamp = `${new Date(time).toISOString()} ${level.toUpperCase().padEnd(5)}`
  const head = `${stamp} ${oneLine(short(message))}`
  return [head, ...facts].join(' ')
}

function asJson({ time, level, message, fields }: LogEntry): string {
  const facts = known(fields).map(([name, value]) => {
    return [OWN.has(name) ? `_${name}` : name, value] as const
  })
  const own = [['time', new Date(time).toISOString()] as const, ['level', level] as const]
  const entries = [...own, ['message', message] as const, ...facts]
  // Each by itself: one that cannot be written takes nothing from the others.
  const members = entries.map(([name, value]) => `${JSON.stringify(name)}:${encode(value)}`)
  return `{${members.join(',').replace(UNPRINTABLE, escaped)}}`
}

function known(fields: LogFields): [string, unknown][] {
  return Object.entries(fields).filter(([, value]) => value !== undefined)
}

/** Words stay as they are, all else is JSON. */
function text(value: unknown): string {
  const isWord = typeof value === 'string' && /^[\w.:/@*>-]+$/.test(value)
  return isWord ? short(value) : oneLine(encode(value))
}

function short(value: string): string {
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
}

/** As JSON writes it, which loses nothing. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** JSON of anything. */
function encode(value: unknown): string {
  try {
    // What has no JSON is `undefined`, whatever the type says.
    const json = JSON.stringify(value, writable([])) as string | undefined
    return json ?? `"[${typeof value}]"`
  } catch {
    // An accessor or a `toJSON` that throws: a log must not fail for it.
    return '"[unreadable]"'
  }
}

/** Cuts circles, and writes what JSON has no form for. */
function writable(above: unknown[]): (this: unknown, name: string, item: unknown) => unknown {
  return function (this: unknown, _name, item) {
    if (typeof item === 'string') return short(item)
    if (typeof item === 'bigint') return `${item}`
    if (typeof item !== 'object' || item === null) return item
    while (above.length > 0 && above.at(-1) !== this) above.pop()
    if (above.includes(item)) return '[circular]'
    const plain = item instanceof Error ? errorData(item) : item
    above.push(plain)
    return plain
  }
}

function oneLine(value: string): string {
  return value.replace(UNPRINTABLE, '\uFFFD')
}
