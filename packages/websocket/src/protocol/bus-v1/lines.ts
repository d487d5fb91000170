/** The lines of `bus.v1` in both directions: one function that writes each, and a reader for the messages of either side. */

import { isPattern } from '@bus/core'
import {
  endOfId,
  isWireNumber,
  NOT_A_NUMBER,
  parseNumber,
  parseRecord,
  readNumber,
  spaceAfter,
  TypeCache,
} from './fields.ts'
import { isMode, isToken, readHello, type Hello, type WireSubscription } from './hello.ts'
import {
  isCode,
  isGapReason,
  type GapReason,
  type LineFault,
  type RefusalCode,
  type SubscriptionRefusal,
} from './limits.ts'
import { readWelcome, type WireGap, type Welcome } from './welcome.ts'

/** A line that cannot be read: its verb, if it is a known one, else `line`, and what is wrong with it. */
export interface BadLine {
  readonly verb: string
  readonly fault: LineFault
}

/** Last line of a side before it closes. */
export interface Bye {
  /** The close code that follows, or a short code. */
  readonly code: number | string
  /** Reconnect no sooner than after this many milliseconds. */
  readonly retryAfterMs?: number
  /** Spread the reconnects of all clients that got this line over this many milliseconds. */
  readonly spreadMs?: number
}

// ---------------------------------------------------------------------------------------------------------------------
// Lines of a client, written

/** The line of an event. @param n - its number, or {@link UNNUMBERED} for at most once */
export function publishLineText(
  n: number,
  type: string,
  id: string,
  body: string,
  resent = false,
): string {
  return `${resent ? 'rep' : 'pub'} ${n === UNNUMBERED ? '-' : n} ${type} ${id} ${body}`
}

/** The line that subscribes. */
export function subscribeLine({ id, pattern, mode, from }: WireSubscription): string {
  return `sub ${id} ${pattern} ${mode}${from === undefined ? '' : ` ${from}`}`
}

/** The line that ends a subscription. */
export const unsubscribeLine = (id: number): string => `unsub ${id}`

/** The line that acknowledges everything up to an offset. */
export const ackLine = (offset: number): string => `ack ${offset}`

/** The line with fresh credentials. */
export const authLine = (token: string): string => `auth ${JSON.stringify({ token })}`

/** The last line before the close; a hub writes it too. */
export const byeLine = (bye: Bye): string => `bye ${JSON.stringify(bye)}`

// ---------------------------------------------------------------------------------------------------------------------
// Lines of a hub, written

/** Every event up to `n` is accepted. */
export const okLine = (n: number): string => `ok ${n}`

/** Event `n` is refused. */
export const noLine = (n: number, code: RefusalCode): string => `no ${n} ${code}`

/** The subscription is live behind this offset. */
export const subokLine = (id: number, offset: number): string => `subok ${id} ${offset}`

/** The subscription is refused. */
export const subnoLine = (id: number, code: SubscriptionRefusal): string => `subno ${id} ${code}`

/** Events are missing. */
export const gapLine = (from: number, to: number, why: GapReason): string =>
  `gap ${from} ${to} ${why}`

/** Every matching event up to this offset has been sent. */
export const markLine = (offset: number): string => `mark ${offset}`

// ---------------------------------------------------------------------------------------------------------------------
// Messages of a client, read

/** Receives what a client sends. Each method returns what is wrong with its line at this moment, if anything is. */
export interface ClientReceiver {
  /** The connection is being closed: the rest of the message does not count. */
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

/** Stands for `n` where the line has a hyphen: at most once, never acknowledged. */
export const UNNUMBERED = 0

/** Where the fields of an event's line are. One is filled again and again, so that a line costs no object. */
export interface PublishLine {
  /** The number, or {@link UNNUMBERED}. */
  n: number
  typeFrom: number
  typeTo: number
  idTo: number
}

/** An empty line to read into. */
export function publishLine(): PublishLine {
  return { n: UNNUMBERED, typeFrom: 0, typeTo: 0, idTo: 0 }
}

const LINE_FEED = 10
const HYPHEN = 45
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

const CLIENT_VERBS = ['hello', 'pub', 'rep', 'sub', 'unsub', 'ack', 'auth', 'bye']
/** The first four bytes of the lines that come once per event, as one number. */
const PUB = 0x70_75_62_20
const REP = 0x72_65_70_20
const ACK = 0x61_63_6b_20
/** Bytes of each of these. */
const CLIENT_VERB_BYTES = 4

/**
 * Reads one message of a client, line by line.
 *
 * @param line - is filled anew for each event
 * @returns the line at which it had to stop; `undefined` if every line was read, or the connection is being closed
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
    let fault: LineFault | undefined
    const verb = to - from < CLIENT_VERB_BYTES ? 0 : bytes.readInt32BE(from)
    if (verb === PUB || verb === REP) {
      fault =
        readPublish(bytes, from + CLIENT_VERB_BYTES, to, line) ??
        receiver.publish(bytes, from, to, line, verb === REP)
    } else if (verb === ACK && from + CLIENT_VERB_BYTES < to) {
      const offset = readNumber(bytes, from + CLIENT_VERB_BYTES, to)
      fault = offset === NOT_A_NUMBER ? 'offset' : receiver.ack(offset)
    } else fault = readOtherOfClient(bytes, from, to, receiver)
    if (receiver.isOver) return undefined
    if (fault !== undefined) return { verb: verbOf(bytes, from, to, CLIENT_VERBS), fault }
    from = to + 1
  }
  return undefined
}

/**
 * Reads what follows the verb of an event's line. The type is not checked: the caller knows most types already.
 *
 * @returns what is wrong with it; `undefined` if it was read into `line`
 */
function readPublish(
  bytes: Uint8Array,
  from: number,
  to: number,
  line: PublishLine,
): LineFault | undefined {
  const numberTo = spaceAfter(bytes, from, to)
  let n = UNNUMBERED
  if (numberTo - from !== 1 || bytes[from] !== HYPHEN) {
    n = readNumber(bytes, from, numberTo)
    if (n === NOT_A_NUMBER || n === UNNUMBERED) return 'n'
  }
  const typeTo = spaceAfter(bytes, numberTo + 1, to)
  if (typeTo === -1) return 'type'
  const idTo = endOfId(bytes, typeTo + 1, to)
  if (idTo === -1) return 'id'
  // The body is opaque, but what is clearly not a JSON object would only be useless to every subscriber.
  if (bytes[idTo + 1] !== OPEN_BRACE || bytes[to - 1] !== CLOSE_BRACE || to - idTo < 3) {
    return 'body'
  }
  line.n = n
  line.typeFrom = numberTo + 1
  line.typeTo = typeTo
  line.idTo = idTo
  return undefined
}

/** Reads a line that comes rarely. */
function readOtherOfClient(
  bytes: Buffer,
  from: number,
  to: number,
  receiver: ClientReceiver,
): LineFault | undefined {
  if (from === to) return 'empty'
  const verb = verbOf(bytes, from, to, CLIENT_VERBS)
  if (verb === UNKNOWN_VERB) return 'verb'
  const restAt = from + verb.length + 1
  if (restAt >= to) return 'fields'
  const rest = bytes.toString('utf8', restAt, to)
  switch (verb) {
    case 'unsub': {
      const id = parseNumber(rest)
      return id === NOT_A_NUMBER ? 'id' : receiver.unsubscribe(id)
    }
    case 'sub': {
      const sub = readSubscribe(rest)
      return typeof sub === 'string' ? sub : receiver.subscribe(sub)
    }
    case 'hello': {
      const hello = readHello(rest)
      return typeof hello === 'string' ? hello : receiver.hello(hello)
    }
    case 'auth': {
      const auth = readAuth(rest)
      return typeof auth === 'string' ? auth : receiver.auth(auth.token)
    }
    case 'bye':
      // The reason that a client gives for leaving changes nothing.
      return receiver.bye()
    default:
      return 'verb'
  }
}

/** What follows `sub `: `<id> <pattern> <mode> [<from>]`. */
function readSubscribe(text: string): WireSubscription | LineFault {
  const fields = text.split(' ', 5)
  if (fields.length < 3 || fields.length > 4) return 'fields'
  const [idText = '', pattern = '', mode = '', fromText] = fields
  const id = parseNumber(idText)
  if (id === NOT_A_NUMBER) return 'id'
  if (!isPattern(pattern)) return 'pattern'
  if (!isMode(mode)) return 'mode'
  if (fromText === undefined) return { id, pattern, mode }
  const from = parseNumber(fromText)
  return from === NOT_A_NUMBER ? 'offset' : { id, pattern, mode, from }
}

/** What follows `auth `. */
function readAuth(json: string): { readonly token: string } | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  const { token } = wire
  return isToken(token) ? { token } : 'shape'
}

/** What follows `bye `, in either direction. */
function readBye(json: string): Bye | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  const { code, retryAfterMs, spreadMs } = wire
  if (
    !(isWireNumber(code) || isCode(code)) ||
    (retryAfterMs !== undefined && !isWireNumber(retryAfterMs)) ||
    (spreadMs !== undefined && !isWireNumber(spreadMs))
  ) {
    return 'shape'
  }
  return {
    code,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(spreadMs === undefined ? {} : { spreadMs }),
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Messages of a hub, read

/** Receives the events of a hub, and how far the log has been read. */
export interface HubEventReceiver {
  /** @param body - JSON, not parsed; @param resent - its publisher lost a session, so the event may have come before */
  event(offset: number, type: string, id: string, body: string, resent: boolean): void
  /** An event's line whose offset can be read, but nothing behind it. @returns whether to skip it and go on */
  unreadable(offset: number, line: string): boolean
  gap(gap: WireGap): void
  mark(offset: number): void
}

/** Receives everything else that a hub sends. */
export interface HubReceiver {
  welcome(welcome: Welcome): void
  /** Every event up to `n` is accepted. */
  ok(n: number): void
  /** Event `n` is refused. */
  no(n: number, code: string): void
  subok(id: number, offset: number): void
  subno(id: number, code: string): void
  bye(bye: Bye): void
}

const HUB_VERBS = ['welcome', 'ok', 'no', 'subok', 'subno', 'ev', 'rv', 'gap', 'mark', 'bye']
/** The first three bytes of the lines that come once per event, as one number. */
const EV = 0x65_76_20
const RV = 0x72_76_20
const OK = 0x6f_6b_20
/** Bytes of each of these. */
const HUB_VERB_BYTES = 3

/**
 * Reads the messages of a hub, line by line. Events are cut from the bytes one by one, so that a part of one event that a
 * handler keeps does not keep the others in memory, and text beyond Latin-1 in one does not slow down the others.
 */
export class HubMessageReader {
  readonly #receiver: HubReceiver
  readonly #events: HubEventReceiver
  readonly #types = new TypeCache()
  /** The offset of the event's line that is being read; {@link NOT_A_NUMBER} if it could not be read. */
  #offset = NOT_A_NUMBER

  constructor(receiver: HubReceiver, events: HubEventReceiver) {
    this.#receiver = receiver
    this.#events = events
  }

  /** @returns the line at which it had to stop; `undefined` if every line was read */
  read(bytes: Buffer): BadLine | undefined {
    let from = 0
    while (from <= bytes.length) {
      const feed = bytes.indexOf(LINE_FEED, from)
      const to = feed === -1 ? bytes.length : feed
      let fault: LineFault | undefined
      const verb = to - from < HUB_VERB_BYTES ? 0 : bytes.readUIntBE(from, HUB_VERB_BYTES)
      if (verb === EV || verb === RV) {
        fault = this.#readEvent(bytes, from + HUB_VERB_BYTES, to, verb === RV)
        if (fault !== undefined && this.#offset !== NOT_A_NUMBER) {
          const line = bytes.toString('utf8', from, to)
          if (this.#events.unreadable(this.#offset, line)) fault = undefined
        }
      } else if (verb === OK) {
        const n = readNumber(bytes, from + HUB_VERB_BYTES, to)
        if (n === NOT_A_NUMBER) fault = 'n'
        else this.#receiver.ok(n)
      } else fault = this.#readOther(bytes, from, to)
      if (fault !== undefined) return { verb: verbOf(bytes, from, to, HUB_VERBS), fault }
      from = to + 1
    }
    return undefined
  }

  /** Reads what follows the verb of an event's line. */
  #readEvent(bytes: Buffer, from: number, to: number, resent: boolean): LineFault | undefined {
    const offsetTo = spaceAfter(bytes, from, to)
    const offset = (this.#offset = readNumber(bytes, from, offsetTo))
    if (offset === NOT_A_NUMBER) return offsetTo === -1 ? 'fields' : 'offset'
    const typeTo = spaceAfter(bytes, offsetTo + 1, to)
    if (typeTo === -1) return 'fields'
    const type = this.#types.read(bytes, offsetTo + 1, typeTo)
    if (type === undefined) return 'type'
    const idTo = endOfId(bytes, typeTo + 1, to)
    if (idTo === -1) return spaceAfter(bytes, typeTo + 1, to) === -1 ? 'fields' : 'id'
    if (idTo + 1 === to) return 'fields'
    const id = bytes.toString('latin1', typeTo + 1, idTo)
    this.#events.event(offset, type, id, bytes.toString('utf8', idTo + 1, to), resent)
    return undefined
  }

  /** Reads a line that comes rarely. */
  #readOther(bytes: Buffer, from: number, to: number): LineFault | undefined {
    if (from === to) return 'empty'
    const line = bytes.toString('utf8', from, to)
    const space = line.indexOf(' ')
    if (space === -1) return 'fields'
    const rest = line.slice(space + 1)
    switch (line.slice(0, space)) {
      case 'no':
        return readCode(rest, 'n', (n, code) => this.#receiver.no(n, code))
      case 'subno':
        return readCode(rest, 'id', (id, code) => this.#receiver.subno(id, code))
      case 'subok': {
        const [idText = '', offsetText = '', more] = rest.split(' ', 3)
        if (more !== undefined) return 'fields'
        const id = parseNumber(idText)
        const offset = parseNumber(offsetText)
        if (id === NOT_A_NUMBER) return 'id'
        if (offset === NOT_A_NUMBER) return 'offset'
        this.#receiver.subok(id, offset)
        return undefined
      }
      case 'mark': {
        const offset = parseNumber(rest)
        if (offset === NOT_A_NUMBER) return 'offset'
        this.#events.mark(offset)
        return undefined
      }
      case 'gap': {
        const gap = readGap(rest)
        if (typeof gap === 'string') return gap
        this.#events.gap(gap)
        return undefined
      }
      case 'welcome': {
        const welcome = readWelcome(rest)
        if (typeof welcome === 'string') return welcome
        this.#receiver.welcome(welcome)
        return undefined
      }
      case 'bye': {
        const bye = readBye(rest)
        if (typeof bye === 'string') return bye
        this.#receiver.bye(bye)
        return undefined
      }
      default:
        return 'verb'
    }
  }
}

/** What follows `gap `: `<from> <to> <why>`. */
function readGap(text: string): WireGap | LineFault {
  const [fromText = '', toText = '', why, more] = text.split(' ', 4)
  if (more !== undefined) return 'fields'
  const from = parseNumber(fromText)
  const to = parseNumber(toText)
  if (from === NOT_A_NUMBER || to === NOT_A_NUMBER || from > to) return 'offset'
  return isGapReason(why) ? { from, to, why } : 'why'
}

/** A number, whose fault is `fault`, and the code of a refusal. */
function readCode(
  text: string,
  fault: LineFault,
  receive: (value: number, code: string) => void,
): LineFault | undefined {
  const [valueText = '', code, more] = text.split(' ', 3)
  if (more !== undefined) return 'fields'
  const value = parseNumber(valueText)
  if (value === NOT_A_NUMBER) return fault
  if (!isCode(code)) return 'code'
  receive(value, code)
  return undefined
}

const UNKNOWN_VERB = 'line'
/** Longer than any verb. */
const MAX_VERB_BYTES = 8

/** The verb of the line if it is one of these, else `line`: what the other side wrote is never repeated. */
function verbOf(bytes: Buffer, from: number, to: number, verbs: readonly string[]): string {
  const text = bytes.toString('latin1', from, Math.min(to, from + MAX_VERB_BYTES))
  const [verb = ''] = text.split(' ', 1)
  return verbs.includes(verb) ? verb : UNKNOWN_VERB
}
