/** The table: every row, in the order of its groups. */
import { CLOSING_ROWS } from './closing-rows.ts'
import { FRAGMENT_ROWS } from './fragment-rows.ts'
import { FRAMING_ROWS } from './framing-rows.ts'
import { OWN_ROWS } from './own-rows.ts'
import { PING_ROWS } from './ping-rows.ts'
import { RESERVED_ROWS } from './reserved-rows.ts'
import type { Row } from './row.ts'
import { UTF8_ROWS } from './utf8-rows.ts'

export const ROWS: readonly Row[] = [
  ...FRAMING_ROWS,
  ...PING_ROWS,
  ...RESERVED_ROWS,
  ...FRAGMENT_ROWS,
  ...UTF8_ROWS,
  ...CLOSING_ROWS,
  ...OWN_ROWS,
]
