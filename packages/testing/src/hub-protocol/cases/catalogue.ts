/** The catalogue of the hub's cases, by topic. */
import type { HubCaseGroup } from '../hub-case.ts'
import { ACCESS } from './access.ts'
import { ACKNOWLEDGING, KEEPING } from './acknowledging.ts'
import { BAD_LINES, BAD_MESSAGES } from './malformed.ts'
import { CONFIRMING } from './confirming.ts'
import { CURSORS } from './cursors.ts'
import { DELIVERY } from './delivery.ts'
import { HANDSHAKE } from './handshake.ts'
import { HELLO } from './hello.ts'
import { LIVENESS } from './liveness.ts'
import { PLAIN_WIRE } from './plain-wire.ts'
import { PUBLISHING } from './publishing.ts'
import { RESUMING } from './resuming.ts'
import { SUBSCRIBING } from './subscribing.ts'
import { TAKEOVER } from './takeover.ts'

/** Every group of cases. */
export const HUB_CATALOGUE: readonly HubCaseGroup[] = Object.freeze([
  HANDSHAKE,
  HELLO,
  PUBLISHING,
  CONFIRMING,
  DELIVERY,
  SUBSCRIBING,
  ACKNOWLEDGING,
  RESUMING,
  CURSORS,
  KEEPING,
  TAKEOVER,
  BAD_LINES,
  BAD_MESSAGES,
  ACCESS,
  LIVENESS,
  PLAIN_WIRE,
])
