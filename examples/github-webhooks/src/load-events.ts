/** The events to publish: GitHub's example deliveries, or the lines of a file. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createEvent, type EventInit } from '@bus/core'

/** Where the events come from. */
export type EventSource =
  /** Deliveries of GitHub webhooks, in rounds until there are `count`. */
  | { readonly kind: 'github'; readonly count: number }
  /** A file with one JSON object a line; each is published once. */
  | { readonly kind: 'file'; readonly path: string }

/** What becomes an event: published once, or once a round. */
interface Template {
  readonly type: string
  readonly payload: unknown
  readonly init: EventInit
}

/** The events of a run, numbered from 1. */
export interface EventList {
  readonly total: number
  /** What the event with this number is made of. */
  at(sequence: number): Template
}

/** A file that cannot be read, or a line that is no event. The message names both. */
export class BadInputError extends Error {
  override readonly name = 'BadInputError'
}

/** @throws `BadInputError` naming the file, and the line where there is one. */
export async function loadEvents(source: EventSource): Promise<EventList> {
  const templates = source.kind === 'github' ? githubDeliveries() : await fromFile(source.path)
  const total = source.kind === 'github' ? source.count : templates.length
  return {
    total,
    at(sequence) {
      const template = templates[(sequence - 1) % templates.length]
      if (template === undefined) throw new RangeError(`There is no event ${sequence}`)
      return template
    },
  }
}

interface WebhookDefinition {
  readonly name: string
  readonly examples: readonly { readonly action?: string }[]
}

function githubDeliveries(): Template[] {
  const load = createRequire(import.meta.url)
  const definitions = load('@octokit/webhooks-examples') as readonly WebhookDefinition[]
  return definitions.flatMap(({ name, examples }) =>
    examples.map((payload) => ({ type: githubType(name, payload.action), payload, init: {} })),
  )
}

/** `github.issues.opened`; without an action `github.push`. */
export function githubType(name: string, action?: string): string {
  const tokens = action === undefined ? [name] : [name, action]
  return ['github', ...tokens.map((token) => token.replaceAll(/[^\w-]/g, '-'))].join('.')
}

async function fromFile(path: string): Promise<Template[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new BadInputError(`${path}: ${(error as Error).message}`, { cause: error })
  }
  const templates: Template[] = []
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '') continue
    try {
      templates.push(readLine(line))
    } catch (error) {
      const { message } = error as Error
      throw new BadInputError(`${path}:${index + 1}: ${message}`, { cause: error })
    }
  }
  if (templates.length === 0) throw new BadInputError(`${path}: there is no event in this file`)
  return templates
}

const FIELDS = ['type', 'event_type', 'payload', 'id', 'metadata']

function readLine(line: string): Template {
  const value: unknown = JSON.parse(line)
  if (!isObject(value)) throw new TypeError('Expected a JSON object')
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined) {
    throw new TypeError(`Expected the fields ${FIELDS.join(', ')}, got \`${unknown}\``)
  }
  if (Object.hasOwn(value, 'type') && Object.hasOwn(value, 'event_type')) {
    throw new TypeError('Expected `type` or `event_type`, got both')
  }
  if (!Object.hasOwn(value, 'payload')) throw new TypeError('Expected a `payload`')
  const type = (value['type'] ?? value['event_type']) as string
  const { payload } = value
  const init = initOf(value)
  // Made once to have it checked; each publish makes its own.
  createEvent(type, payload, init)
  return { type, payload, init }
}

/** The id and the metadata, whose names on the wire differ from ours. */
function initOf({ id, metadata = {} }: Record<string, unknown>): EventInit {
  if (!isObject(metadata)) throw new TypeError('Expected `metadata` to be an object')
  const { timestamp, correlation_id: correlationId, ...rest } = metadata
  const init: Record<string, unknown> = { ...rest }
  if (correlationId !== undefined) init['correlationId'] = correlationId
  if (timestamp !== undefined) init['timestamp'] = millisecondsOf(timestamp)
  if (id !== undefined) init['id'] = id
  for (const name of ['source', 'correlationId']) {
    const text = init[name]
    if (text === undefined || typeof text === 'string') continue
    throw new TypeError(`Expected \`metadata.${name}\` to be a string`)
  }
  return init
}

function millisecondsOf(timestamp: unknown): number {
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw new TypeError(
    'Expected `metadata.timestamp` to be a date and time as in RFC 3339, or milliseconds since 1970',
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
