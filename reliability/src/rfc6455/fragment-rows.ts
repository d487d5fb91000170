/** Group 5: fragments, with control frames between them, and continuations of nothing. */
import {
  OPEN,
  continuation,
  fragments,
  ping,
  pong,
  row,
  saidText,
  text,
  type Chop,
  type Row,
} from './row.ts'

const [F1, F2] = ['fragment1', 'fragment2']
const BOTH = saidText(F1 + F2)
const CHOPS: readonly Chop[] = ['once', 'frames', 'octets']
const [FIRST, LAST] = [text(F1, OPEN), continuation(F2)]

const HOW: Readonly<Record<string, string>> = {
  once: '',
  frames: ', a frame at a time',
  octets: ', an octet at a time',
}

/** Three rows with the same frames, chopped differently. */
function chopped(
  first: number,
  about: string,
  make: (chop: Chop) => Omit<Row, 'id' | 'about'>,
): Row[] {
  return CHOPS.map((chop, i) => ({
    ...make(chop),
    id: `5.${first + i}`,
    about: about + (HOW[chop] ?? ''),
  }))
}

const five = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5']
const [A, B, C, D, E] = fragments(...five) as [Frame, Frame, Frame, Frame, Frame]
type Frame = Row['frames'][number]

const twice = (fin: boolean): Row['frames'] => {
  const once = [continuation(F1, { fin }), ...fragments(F1, F2)]
  return [...once, ...once]
}

export const FRAGMENT_ROWS: readonly Row[] = [
  row('5.1', 'a ping in two fragments', [ping(F1, OPEN), LAST], { close: 1002 }),
  row('5.2', 'a pong in two fragments', [pong(F1, OPEN), LAST], { close: 1002 }),
  ...chopped(3, 'text in two fragments', (chop) =>
    row('', '', [FIRST, LAST], { chop, messages: [BOTH] }),
  ),
  ...chopped(6, 'text in two fragments with a ping between them', (chop) =>
    row('', '', [FIRST, ping('between'), LAST], { chop, messages: [BOTH], pongs: ['between'] }),
  ),
  ...chopped(9, 'a last continuation of nothing, then text', (chop) =>
    row('', '', [continuation('of nothing'), text('Hello')], { chop, close: 1002 }),
  ),
  ...chopped(12, 'a continuation of nothing, then text', (chop) =>
    row('', '', [continuation('of nothing', OPEN), text('Hello')], { chop, close: 1002 }),
  ),
  row(
    '5.15',
    'text in two fragments, a continuation of nothing, and text',
    [FIRST, LAST, continuation('fragment3', OPEN), text('fragment4')],
    { messages: [BOTH], close: 1002 },
  ),
  row('5.16', 'twice: a continuation of nothing, and text in two fragments', twice(false), {
    close: 1002,
  }),
  row('5.17', 'twice: a last continuation of nothing, and text in two fragments', twice(true), {
    close: 1002,
  }),
  row('5.18', 'text in two fragments which both say that they are text', [FIRST, text(F2)], {
    close: 1002,
  }),
  row(
    '5.19',
    'text in five fragments with pings between them, a frame at a time',
    [A, B, ping('one'), C, D, ping('two'), E],
    { chop: 'frames', messages: [saidText(five.join(''))], pongs: ['one', 'two'] },
  ),
  row(
    '5.20',
    'text in five fragments with pings between them',
    [A, B, ping('one'), C, D, ping('two'), E],
    { messages: [saidText(five.join(''))], pongs: ['one', 'two'] },
  ),
]
