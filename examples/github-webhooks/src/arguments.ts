/** The command line: what the job is asked to do. */
import { parseArgs } from 'node:util'
import type { EventSource } from './load-events.ts'

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'run'; readonly source: EventSource; readonly json: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string }

const DEFAULT_EVENTS = 10_000

/** How the job is called. */
export const USAGE = `Usage: npm start -- [options]

Publishes events through a hub to two subscribers, each in a process of its own, breaks the links
and kills the hub on the way, and fails unless each got every event exactly once.

  --events N      how many GitHub webhook deliveries to publish (default 10000)
  --file PATH     publish your own events instead, once: one JSON object a line, for example
                  {"type":"order.created","payload":{"total":3}}
  --json          print the totals as one JSON object on the last line
  --help          print this

Links are cut and the hub is killed only in runs of 1000 events or more.`

/** Reads the arguments that follow the script's name. */
export function readArguments(args: readonly string[]): Command {
  let values
  try {
    values = parse(args)
  } catch (error) {
    return { kind: 'mistake', message: (error as Error).message }
  }
  const { events, file, json, help } = values
  if (help) return { kind: 'help' }
  if (file !== undefined) {
    if (events !== undefined) {
      return mistake(
        '--events is for the GitHub deliveries: the events of --file are published once',
      )
    }
    if (file === '') return mistake('Expected --file to be the path of a file')
    return { kind: 'run', source: { kind: 'file', path: file }, json }
  }
  const count = events === undefined ? DEFAULT_EVENTS : Number(events)
  if (!/^\d+$/.test(events ?? '1') || !Number.isSafeInteger(count) || count < 1) {
    return mistake(`Expected --events to be an integer ≥ 1, got "${events}"`)
  }
  return { kind: 'run', source: { kind: 'github', count }, json }
}

function mistake(message: string): Command {
  return { kind: 'mistake', message }
}

function parse(args: readonly string[]): {
  readonly events?: string
  readonly file?: string
  readonly json: boolean
  readonly help: boolean
} {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string' },
      file: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  return values
}
