/** The messages of a client: read from bytes, one call of the receiver for each line. */

import { readAuth, readSubscribe } from './client-lines.ts'
import type { LineFault } from './limits.ts'
import { readHello, type Hello, type WireSubscription } from './hello.ts'
import type { BadLine } from './hub-lines.ts'
import { NOT_A_NUMBER, parseNumber, endOfId, spaceAfter, readNumber } from './fields.ts'

/** Who hears what a client says. What it returns is what is wrong with the line at this moment. */
export interface ClientReceiver {
  /** The link is being closed: the rest of the message does not count. */
  readonly isOver: boolean
  /** An event, whose line begins at `from` and ends before `to`. */
  publish(
    bytes: Buffer,
    from: number,
    to: number,
    line: PublishLine,
    resent: boolean,
  ): LineFault | undefined
  hello(hello: Hello): LineFault | undefined
  subscribe(sub: WireSubscription): LineFault | undefined
  unsubscribe(id: number): LineFault | undefined
  ack(offset: number): LineFault | undefined
  auth(token: string): LineFault | undefined
  bye(): LineFault | undefined
}

const LINE_FEED = 10
const VERBS = ['hello', 'pub', 'rep', 'sub', 'unsub', 'ack', 'auth', 'bye']
/** Longer than any verb. */
const VERB_BYTES = 8

/**
 * Reads one message of a client, line by line.
 *
 * @param line - is filled anew for each event, so that an event costs no object
 * @returns the line at which it had to stop; `undefined` when every line was taken, or the link is over
 */
export function readClientMessage(
  bytes: Buffer,
  line: PublishLine,
  receiver: ClientReceiver,
): BadLine | undefined {
  let from = 0
  while (from <= bytes.length) {
    const feed = bytes.indexOf(LINE_FEED, from)
    const to = feed === -1 ? bytes.length : feed
    const fault = readLine(bytes, from, to, line, receiver)
    if (receiver.isOver) return undefined
    if (fault !== undefined) return { verb: verbOf(bytes, from, to), fault }
    from = to + 1
  }
  return undefined
}

function readLine(
  bytes: Buffer,
  from: number,
  to: number,
  line: PublishLine,
  receiver: ClientReceiver,
): LineFault | undefined {
  const isRepeat = isRep(bytes, from)
  if (isRepeat || isPub(bytes, from)) {
    return readPublish(bytes, from, to, line) ?? receiver.publish(bytes, from, to, line, isRepeat)
  }
  if (from === to) return 'empty'
  const verb = verbOf(bytes, from, to)
  if (verb === 'line') return 'verb'
  const restAt = from + verb.length + 1
  return restAt >= to ? 'fields' : readRest(verb, bytes.toString('utf8', restAt, to), receiver)
}

function readRest(verb: string, rest: string, receiver: ClientReceiver): LineFault | undefined {
  switch (verb) {
    case 'ack':
      return withNumber(rest, 'offset', (offset) => receiver.ack(offset))
    case 'unsub':
      return withNumber(rest, 'id', (id) => receiver.unsubscribe(id))
    case 'sub':
      return withRead(readSubscribe(rest), (sub) => receiver.subscribe(sub))
    case 'hello':
      return withRead(readHello(rest), (hello) => receiver.hello(hello))
    case 'auth':
      return withRead(readAuth(rest), ({ token }) => receiver.auth(token))
    case 'bye':
      // Why a client leaves is its own affair.
      return receiver.bye()
    default:
      return 'verb'
  }
}

function withNumber(
  rest: string,
  fault: LineFault,
  tell: (value: number) => LineFault | undefined,
): LineFault | undefined {
  const value = parseNumber(rest, 0, rest.length)
  return value === NOT_A_NUMBER ? fault : tell(value)
}

function withRead<T extends object>(
  found: T | LineFault,
  tell: (value: T) => LineFault | undefined,
): LineFault | undefined {
  return typeof found === 'string' ? found : tell(found)
}

/** `pub `, byte by byte. */
function isPub(bytes: Buffer, at: number): boolean {
  return bytes[at] === 112 && bytes[at + 1] === 117 && bytes[at + 2] === 98 && bytes[at + 3] === 32
}

/** `rep `, byte by byte. */
function isRep(bytes: Buffer, at: number): boolean {
  return bytes[at] === 114 && bytes[at + 1] === 101 && bytes[at + 2] === 112 && bytes[at + 3] === 32
}

/** The line's verb if it is a known one, else `line`: nothing that a stranger wrote is ever repeated. */
function verbOf(bytes: Buffer, from: number, to: number): string {
  const [verb = ''] = bytes.toString('latin1', from, Math.min(to, from + VERB_BYTES)).split(' ', 1)
  return VERBS.includes(verb) ? verb : 'line'
}

/** Stands for `n` where the line has a hyphen: at most once, never acknowledged. */
export const UNNUMBERED = 0

/** Bytes of `pub ` and `rep `. */
const PUBLISH_VERB_BYTES = 4
const HYPHEN = 45
const OPEN = 123
const CLOSE = 125

/** Where the fields of a line are. One is filled again and again, so that a line costs no object. */
export interface PublishLine {
  /** The number, or {@link UNNUMBERED}. */
  n: number
  typeFrom: number
  /** Also the end of the header's second field: a space follows. */
  typeTo: number
  idTo: number
}

/** An empty line to read into. */
export function publishLine(): PublishLine {
  return { n: UNNUMBERED, typeFrom: 0, typeTo: 0, idTo: 0 }
}

/**
 * Reads a line that begins with `pub ` or `rep ` at `from` and ends before `to`. The type is not looked at: the
 * caller knows most types already.
 *
 * @returns what is wrong with it; `undefined` when it was read into `line`
 */
function readPublish(
  bytes: Uint8Array,
  from: number,
  to: number,
  line: PublishLine,
): LineFault | undefined {
  const numberAt = from + PUBLISH_VERB_BYTES
  const numberTo = spaceAfter(bytes, numberAt, to)
  const n = numberTo === -1 ? NOT_A_NUMBER : readSequence(bytes, numberAt, numberTo)
  if (n === NOT_A_NUMBER) return 'n'
  const typeTo = spaceAfter(bytes, numberTo + 1, to)
  if (typeTo === -1) return 'type'
  const idTo = endOfId(bytes, typeTo + 1, to)
  if (idTo === -1) return 'id'
  // The body is opaque, but what is clearly no JSON object would only hurt every subscriber.
  if (bytes[idTo + 1] !== OPEN || bytes[to - 1] !== CLOSE || to - idTo < 3) return 'body'
  line.n = n
  line.typeFrom = numberTo + 1
  line.typeTo = typeTo
  line.idTo = idTo
  return undefined
}

function readSequence(bytes: Uint8Array, from: number, to: number): number {
  if (to - from === 1 && bytes[from] === HYPHEN) return UNNUMBERED
  const n = readNumber(bytes, from, to)
  return n === 0 ? NOT_A_NUMBER : n
}
