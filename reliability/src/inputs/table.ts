/** The table of bad inputs: every row by its group. */
import { frameRows } from './frames.ts'
import { handshakes } from './handshake.ts'
import { injection } from './injection.ts'
import { json } from './json.ts'
import { origins } from './origins.ts'
import type { Table } from './row.ts'
import { sequences } from './sequences.ts'
import { sizes } from './sizes.ts'
import { tokens } from './tokens.ts'
import { topics } from './topics.ts'

/** In the order in which they are tried. */
export const TABLE: Table = Object.freeze({
  handshake: handshakes,
  origins,
  tokens,
  frames: frameRows,
  json,
  topics,
  sequences,
  sizes,
  injection,
})
