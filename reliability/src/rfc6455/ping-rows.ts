/** Group 2: pings and pongs. */
import { hex, ping, pong, row, type Row } from './row.ts'

const HELLO = 'Hello, world!'
const BYTES = hex('00fffefdfcfb00ff')
const MOST = Buffer.alloc(125, 0xfe)
const TEN = Array.from({ length: 10 }, (_, i) => `payload-${i}`)

export const PING_ROWS: readonly Row[] = [
  row('2.1', 'a ping without a payload', [ping()], { pongs: [''] }),
  row('2.2', 'a ping with text', [ping(HELLO)], { pongs: [HELLO] }),
  row('2.3', 'a ping with bytes', [ping(BYTES)], { pongs: [BYTES] }),
  row('2.4', 'a ping of 125 bytes', [ping(MOST)], { pongs: [MOST] }),
  row('2.5', 'a ping of 126 bytes', [ping(Buffer.alloc(126, 0xfe))], { close: 1002 }),
  row('2.6', 'a ping of 125 bytes, an octet at a time', [ping(MOST)], {
    chop: 'octets',
    pongs: [MOST],
  }),
  row('2.7', 'a pong that nobody asked for', [pong()]),
  row('2.8', 'a pong that nobody asked for, with a payload', [pong('unsolicited')]),
  row('2.9', 'such a pong, then a ping', [pong('unsolicited'), ping('ping')], { pongs: ['ping'] }),
  row(
    '2.10',
    'ten pings',
    TEN.map((payload) => ping(payload)),
    { pongs: TEN },
  ),
  row(
    '2.11',
    'ten pings, an octet at a time',
    TEN.map((payload) => ping(payload)),
    { chop: 'octets', pongs: TEN },
  ),
]
