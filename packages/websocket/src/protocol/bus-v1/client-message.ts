/** The messages of a client: read from bytes, one call of the receiver for each line. */
import { readAuth, readSubscribe } from './client-lines.ts'
import type { LineFault } from './codes.ts'
import { readHello, type Hello, type WireSubscription } from './hello.ts'
import type { BadLine } from './hub-lines.ts'
import { NOT_A_NUMBER, parseNumber } from './numbers.ts'
import { readPublish, type PublishLine } from './publish-line.ts'

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
