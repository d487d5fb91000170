/** The lines that a hub sends: read from bytes, one call of the receiver for each. */

import { readBye, type Bye } from './client-lines.ts'
import {
  isCode,
  isGapReason,
  type LineFault,
  type GapReason,
  type RefusalCode,
  type SubscriptionRefusal,
} from './limits.ts'
import { endOfId, spaceAfter, NOT_A_NUMBER, parseNumber, readNumber, TypeCache } from './fields.ts'
import { readWelcome, type Gap, type Welcome } from './welcome.ts'

/** Who hears what a hub says. */
export interface HubReceiver {
  welcome(welcome: Welcome): void
  /** Every event up to `n` is accepted. */
  ok(n: number): void
  /** Event `n` is refused. */
  no(n: number, code: string): void
  subok(id: number, offset: number): void
  subno(id: number, code: string): void
  /** @param body - JSON, not looked at; @param resent - its publisher lost a session, so it may have come before */
  event(offset: number, type: string, id: string, body: string, resent: boolean): void
  /** The line of an event says its offset, and behind that nothing that can be read. @returns whether to leave it out and go on */
  unreadable(offset: number, line: string): boolean
  gap(gap: Gap): void
  mark(offset: number): void
  bye(bye: Bye): void
}

/** A line that means nothing: its verb, if it is a known one, and what is wrong with it. */
export interface BadLine {
  readonly verb: string
  readonly fault: LineFault
}

const VERBS = ['welcome', 'ok', 'no', 'subok', 'subno', 'ev', 'rv', 'gap', 'mark', 'bye']

const LINE_FEED = 10
/** Bytes of `ev ` and `rv `. */
const VERB_BYTES = 3
const E = 101
const R = 114
const V = 118
const SPACE = 32

/**
 * Reads the messages of a hub, line by line. Events are cut from the bytes one by one: what a handler keeps of one
 * event keeps nothing of the others, and text beyond Latin-1 in one makes the others no slower.
 */
export class HubMessageReader {
  readonly #receiver: HubReceiver
  readonly #types = new TypeCache()

  constructor(receiver: HubReceiver) {
    this.#receiver = receiver
  }

  /** @returns the line at which it had to stop; `undefined` when every line was given to the receiver */
  read(bytes: Buffer): BadLine | undefined {
    let from = 0
    while (from <= bytes.length) {
      const end = bytes.indexOf(LINE_FEED, from)
      const to = end === -1 ? bytes.length : end
      const fault = this.#readLine(bytes, from, to)
      if (fault !== undefined) return badLine(bytes.toString('utf8', from, to), fault)
      from = to + 1
    }
    return undefined
  }

  #readLine(bytes: Buffer, from: number, to: number): LineFault | undefined {
    if (from === to) return 'empty'
    // The one line that comes a million times, before all others.
    const first = bytes[from]
    if ((first === E || first === R) && bytes[from + 1] === V && bytes[from + 2] === SPACE) {
      return this.#readEvent(bytes, from + VERB_BYTES, to, first === R)
    }
    return readOther(bytes.toString('utf8', from, to), this.#receiver)
  }

  #readEvent(bytes: Buffer, from: number, to: number, resent: boolean): LineFault | undefined {
    const offsetTo = spaceAfter(bytes, from, to)
    if (offsetTo === -1) return 'fields'
    const offset = readNumber(bytes, from, offsetTo)
    if (offset === NOT_A_NUMBER) return 'offset'
    const fault = this.#readBehindOffset(bytes, offsetTo + 1, to, offset, resent)
    if (fault === undefined) return undefined
    const line = bytes.toString('utf8', from - VERB_BYTES, to)
    return this.#receiver.unreadable(offset, line) ? undefined : fault
  }

  #readBehindOffset(
    bytes: Buffer,
    from: number,
    to: number,
    offset: number,
    resent: boolean,
  ): LineFault | undefined {
    const typeTo = spaceAfter(bytes, from, to)
    if (typeTo === -1) return 'fields'
    const type = this.#types.read(bytes, from, typeTo)
    if (type === undefined) return 'type'
    const idTo = endOfId(bytes, typeTo + 1, to)
    if (idTo === -1) return spaceAfter(bytes, typeTo + 1, to) === -1 ? 'fields' : 'id'
    if (idTo + 1 === to) return 'fields'
    const id = bytes.toString('latin1', typeTo + 1, idTo)
    this.#receiver.event(offset, type, id, bytes.toString('utf8', idTo + 1, to), resent)
    return undefined
  }
}

function badLine(line: string, fault: LineFault): BadLine {
  const verb = line.slice(0, Math.min(endOfField(line), 8))
  return { verb: VERBS.includes(verb) ? verb : 'line', fault }
}

/** A line that is no event. */
function readOther(line: string, receiver: HubReceiver): LineFault | undefined {
  const space = endOfField(line)
  if (space === line.length) return 'fields'
  const rest = line.slice(space + 1)
  switch (line.slice(0, space)) {
    case 'ok':
      return withNumber(rest, 'n', (n) => receiver.ok(n))
    case 'mark':
      return withNumber(rest, 'offset', (offset) => receiver.mark(offset))
    case 'no':
      return withCode(rest, 'n', (n, code) => receiver.no(n, code))
    case 'subno':
      return withCode(rest, 'id', (id, code) => receiver.subno(id, code))
    case 'subok':
      return readSubok(rest, receiver)
    case 'gap':
      return readGap(rest, receiver)
    case 'welcome':
      return withJson(readWelcome(rest), (welcome) => receiver.welcome(welcome))
    case 'bye':
      return withJson(readBye(rest), (bye) => receiver.bye(bye))
    default:
      return 'verb'
  }
}

function readSubok(rest: string, receiver: HubReceiver): LineFault | undefined {
  const [idText = '', offsetText = '', more] = rest.split(' ', 3)
  if (more !== undefined) return 'fields'
  const id = parseNumber(idText, 0, idText.length)
  const offset = parseNumber(offsetText, 0, offsetText.length)
  if (id === NOT_A_NUMBER) return 'id'
  if (offset === NOT_A_NUMBER) return 'offset'
  receiver.subok(id, offset)
  return undefined
}

function readGap(rest: string, receiver: HubReceiver): LineFault | undefined {
  const [fromText = '', toText = '', why, more] = rest.split(' ', 4)
  if (more !== undefined) return 'fields'
  const from = parseNumber(fromText, 0, fromText.length)
  const to = parseNumber(toText, 0, toText.length)
  if (from === NOT_A_NUMBER || to === NOT_A_NUMBER || from > to) return 'offset'
  if (!isGapReason(why)) return 'why'
  receiver.gap({ from, to, why })
  return undefined
}

function withNumber(
  rest: string,
  fault: LineFault,
  tell: (value: number) => void,
): LineFault | undefined {
  const value = parseNumber(rest, 0, rest.length)
  if (value === NOT_A_NUMBER) return fault
  tell(value)
  return undefined
}

function withCode(
  rest: string,
  fault: LineFault,
  tell: (value: number, code: string) => void,
): LineFault | undefined {
  const [text = '', code, more] = rest.split(' ', 3)
  if (more !== undefined) return 'fields'
  const value = parseNumber(text, 0, text.length)
  if (value === NOT_A_NUMBER) return fault
  if (!isCode(code)) return 'code'
  tell(value, code)
  return undefined
}

function withJson<T extends object>(
  found: T | LineFault,
  tell: (value: T) => void,
): LineFault | undefined {
  if (typeof found === 'string') return found
  tell(found)
  return undefined
}

/** Where the first field ends: at a space, or with the line. */
function endOfField(line: string): number {
  const space = line.indexOf(' ')
  return space === -1 ? line.length : space
}

/** Every event up to `n` is accepted. */
export const okLine = (n: number): string => `ok ${n}`

/** Event `n` is refused. */
export const noLine = (n: number, code: RefusalCode): string => `no ${n} ${code}`

/** The subscription is live behind this offset. */
export const subokLine = (id: number, offset: number): string => `subok ${id} ${offset}`

/** There is no such subscription. */
export const subnoLine = (id: number, code: SubscriptionRefusal): string => `subno ${id} ${code}`

/** Events are missing. */
export const gapLine = (from: number, to: number, why: GapReason): string =>
  `gap ${from} ${to} ${why}`

/** Everything that was wanted up to this offset has been sent. */
export const markLine = (offset: number): string => `mark ${offset}`
