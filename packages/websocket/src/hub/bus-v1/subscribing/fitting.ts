/** Fitting: what the hub says besides events stays within the messages that a client takes. */
import type { RefusalCode } from '../../../protocol/bus-v1/codes.ts'
import { welcomeLine, type Welcome } from '../../../protocol/bus-v1/welcome.ts'

type Refusals = readonly (readonly [n: number, code: RefusalCode])[]

/** A welcome, and the refusals that it has no room for, to be told behind it. */
export interface FittedWelcome {
  readonly text: string
  readonly later: Refusals
}

/**
 * Names as many refusals as fit, and confirms no number behind those: the client sends the rest again, and hears of
 * each what became of it.
 */
export function fitWelcome(
  welcome: Omit<Welcome, 'refused'> & { readonly refused: Refusals },
  maxMessageBytes: number,
): FittedWelcome {
  const { refused } = welcome
  const text = welcomeLine(welcome)
  if (text.length <= maxMessageBytes || refused.length === 0) return { text, later: [] }
  let room = maxMessageBytes - welcomeLine({ ...welcome, refused: [] }).length
  let count = 0
  for (const refusal of refused) {
    room -= JSON.stringify(refusal).length + 1
    if (room < 0) break
    count++
  }
  const later = refused.slice(count)
  const last = Math.min(welcome.last, (later[0]?.[0] ?? Infinity) - 1)
  return { text: welcomeLine({ ...welcome, refused: refused.slice(0, count), last }), later }
}

/** Lines as messages of at most so many bytes, unless a single line is longer. All of them are ASCII. */
export function* inMessages(lines: string, maxMessageBytes: number): Generator<string> {
  let from = 0
  while (lines.length - from > maxMessageBytes) {
    let to = lines.lastIndexOf('\n', from + maxMessageBytes)
    if (to <= from) to = lines.indexOf('\n', from)
    if (to === -1) break
    yield lines.slice(from, to)
    from = to + 1
  }
  yield lines.slice(from)
}
