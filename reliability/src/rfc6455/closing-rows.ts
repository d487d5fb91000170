/** Group 7: closing, its codes and its reasons. Nothing behind a close counts. */
import {
  OPEN,
  closeWith,
  closing,
  continuation,
  hex,
  ping,
  row,
  saidText,
  text,
  type Row,
} from './row.ts'

const HELLO = 'Hello, world!'
const LARGE = 'BAsd7&jh23'.repeat(26 * 1_024)
const CLOSE = closeWith(1000)

const VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
const INVALID = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]

export const CLOSING_ROWS: readonly Row[] = [
  row('7.1.1', 'text, then a close', [text(HELLO), CLOSE], {
    messages: [saidText(HELLO)],
    close: 1000,
  }),
  row('7.1.2', 'two closes', [CLOSE, CLOSE], { close: 1000 }),
  row('7.1.3', 'a close, then a ping', [CLOSE, ping()], { close: 1000 }),
  row('7.1.4', 'a close, then text', [CLOSE, text(HELLO)], { close: 1000 }),
  row(
    '7.1.5',
    'half a message, a close, the other half',
    [text('fragment1', OPEN), CLOSE, continuation('fragment2')],
    { close: 1000 },
  ),
  row(
    '7.1.6',
    'large text, small text, a close, a ping',
    [text(LARGE), text(HELLO), CLOSE, ping()],
    {
      messages: [saidText(LARGE), saidText(HELLO)],
      close: 1000,
    },
  ),
  row('7.3.1', 'a close without a code', [closing()], { close: 1005 }),
  row('7.3.2', 'a close with half a code', [closing('a')], { close: 1002 }),
  row('7.3.3', 'a close with a code', [CLOSE], { close: 1000 }),
  row('7.3.4', 'a close with a reason', [closeWith(1000, HELLO)], { close: 1000 }),
  row('7.3.5', 'a close with a reason of 123 bytes', [closeWith(1000, '*'.repeat(123))], {
    close: 1000,
  }),
  row('7.3.6', 'a close with a reason of 124 bytes', [closeWith(1000, '*'.repeat(124))], {
    close: 1002,
  }),
  row(
    '7.5.1',
    'a close with a reason that is not UTF-8',
    [closeWith(1000, hex('cebae1bdb9cf83cebcceb5eda080656469746564'))],
    { close: 1007 },
  ),
  ...VALID.map((code, i) =>
    row(`7.7.${i + 1}`, `a close with code ${code}`, [closeWith(code)], { close: code }),
  ),
  ...INVALID.map((code, i) =>
    row(`7.9.${i + 1}`, `a close with code ${code}, which is none`, [closeWith(code)], {
      close: 1002,
    }),
  ),
  ...[5_000, 65_535].map((code, i) =>
    row(`7.13.${i + 1}`, `a close with code ${code}, which is none`, [closeWith(code)], {
      close: 1002,
    }),
  ),
]
