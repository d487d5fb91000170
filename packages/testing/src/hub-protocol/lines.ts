/** The lines of a client as literal text: without a codec, whose mistakes would be the same on both sides. */

/** How a subscription is delivered: at most once, or at least once. */
type WireMode = 'amo' | 'alo'

/** One subscription of a `hello`. */
interface WireSub {
  readonly id: number
  readonly pattern: string
  readonly mode: WireMode
  readonly from?: number
}

/** The members of a `hello` besides the version. */
export interface HelloMembers {
  readonly subs?: readonly WireSub[] | undefined
  readonly sid?: string | undefined
  readonly epoch?: string | undefined
  readonly offset?: number | undefined
  readonly token?: string | undefined
  readonly window?: { readonly events: number; readonly bytes: number } | undefined
  readonly maxMessageBytes?: number | undefined
  readonly [more: string]: unknown
}

/** The first line of a client. */
export function helloLine(members: HelloMembers = {}): string {
  return `hello ${JSON.stringify({ v: 1, subs: [], ...members })}`
}

/** The body of an event. */
export function bodyOf(payload: unknown): string {
  return `{"payload":${JSON.stringify(payload)},"metadata":{"timestamp":1777887000000,"source":"suite"}}`
}

/** The line that publishes; its id follows from the number. */
export function pubLine(
  n: number | '-',
  type: string,
  payload: unknown,
  verb: 'pub' | 'rep' = 'pub',
): string {
  return `${verb} ${n} ${type} id-${n} ${bodyOf(payload)}`
}

/** Lines with consecutive numbers, whose payloads are the numbers. */
export function pubLines(from: number, to: number, type: string): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => pubLine(from + i, type, from + i))
}

/** A subscription of a `hello`, at least once by default. */
export function subOf(id: number, pattern: string, mode: WireMode = 'alo', from?: number): WireSub {
  return { id, pattern, mode, ...(from === undefined ? {} : { from }) }
}

/** An event as it came. */
export interface ReceivedEvent {
  readonly verb: 'ev' | 'rv'
  readonly offset: number
  readonly type: string
  readonly id: string
  /** The bytes behind the id, as text. */
  readonly body: string
}

/** The event that a line is; `undefined` for any other line. */
export function readEvent(line: string): ReceivedEvent | undefined {
  const found = /^(ev|rv) (0|[1-9]\d*) (\S+) (\S+) (.*)$/s.exec(line)
  if (found === null) return undefined
  const [, verb = '', offset = '', type = '', id = '', body = ''] = found
  return { verb: verb === 'ev' ? 'ev' : 'rv', offset: Number(offset), type, id, body }
}

/** The payload in a body that is JSON. */
export function payloadOf({ body }: ReceivedEvent): unknown {
  return (JSON.parse(body) as { readonly payload: unknown }).payload
}
