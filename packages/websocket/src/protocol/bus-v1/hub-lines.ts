/** The lines that a hub sends: read from text, one call of the receiver for each. */
import { isId, isType } from '@bus/core'
import { readBye, type Bye } from './client-lines.ts'
import { isCode, isGapReason, type LineFault } from './codes.ts'
import { NOT_A_NUMBER, parseNumber } from './numbers.ts'
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

/**
 * Reads one message of a hub, line by line.
 *
 * @returns the line at which it had to stop; `undefined` when every line was given to the receiver
 */
export function readHubMessage(text: string, receiver: HubReceiver): BadLine | undefined {
  let from = 0
  while (from <= text.length) {
    const end = text.indexOf('\n', from)
    const to = end === -1 ? text.length : end
    const fault = readLine(text, from, to, receiver)
    if (fault !== undefined) return badLine(text, from, to, fault)
    from = to + 1
  }
  return undefined
}

function badLine(text: string, from: number, to: number, fault: LineFault): BadLine {
  const verb = text.slice(from, Math.min(endOfField(text, from, to), from + 8))
  return { verb: VERBS.includes(verb) ? verb : 'line', fault }
}

function readLine(
  text: string,
  from: number,
  to: number,
  receiver: HubReceiver,
): LineFault | undefined {
  if (from === to) return 'empty'
  // The one line that comes a million times, before all others.
  if (text.startsWith('ev ', from)) return readEvent(text, from + 3, to, receiver, false)
  if (text.startsWith('rv ', from)) return readEvent(text, from + 3, to, receiver, true)
  const space = endOfField(text, from, to)
  if (space === to) return 'fields'
  const rest = text.slice(space + 1, to)
  switch (text.slice(from, space)) {
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

function readEvent(
  text: string,
  from: number,
  to: number,
  receiver: HubReceiver,
  resent: boolean,
): LineFault | undefined {
  const offsetTo = endOfField(text, from, to)
  const typeTo = endOfField(text, offsetTo + 1, to)
  const idTo = endOfField(text, typeTo + 1, to)
  const offset = parseNumber(text, from, offsetTo)
  if (offset === NOT_A_NUMBER) return 'offset'
  if (idTo + 1 >= to) return 'fields'
  const type = text.slice(offsetTo + 1, typeTo)
  if (!isType(type)) return 'type'
  const id = text.slice(typeTo + 1, idTo)
  if (!isId(id)) return 'id'
  receiver.event(offset, type, id, text.slice(idTo + 1, to), resent)
  return undefined
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

/** Where the field that begins at `from` ends: at a space, or with the line. */
function endOfField(text: string, from: number, to: number): number {
  const space = text.indexOf(' ', from)
  return space === -1 || space > to ? to : space
}
