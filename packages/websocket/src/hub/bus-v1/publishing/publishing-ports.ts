/** The ports of publishing: who publishes, and what it needs of the hub. */
import type { Confirmations } from './confirmations.ts'
import type { Counters } from '../counters.ts'
import type { EventLog } from '../log/log.ts'
import type { Permission } from '../admission/permission.ts'
import type { Rate } from '../../rate.ts'
import type { Room } from './room.ts'
import type { Session } from '../sessions/session.ts'

/** Who publishes. */
export interface Publisher {
  readonly session: Session
  readonly permission: Permission
  readonly rate: Rate
  /** Something of it was accepted. */
  wake(): void
  /** Something of it came again. */
  again(): void
}

export interface PublishingOptions {
  readonly log: EventLog
  readonly room: Room
  /** `undefined`: what is in the log is confirmed. */
  readonly confirmations: Confirmations | undefined
  readonly counters: Counters
  readonly maxEventBytes: number
  /** Whether the hub writes into each event who published it. */
  readonly isStamped: boolean
  readonly windowEvents: number
  /** Bytes that may wait for room in all sessions together. */
  readonly maxHeldBytes: number
  /** Before this moment nothing is accepted. */
  readonly opensAt: number
  /** The log grew. */
  readonly onAppended: () => void
  /** An event of a session entered the log. @returns whether it waits for the backend */
  readonly onPublished: (offset: number) => boolean
  /** Whether somebody outside of the log has no room. */
  readonly isBlocked: () => boolean
  /** Whether an event has been here before; `undefined` where none can. */
  readonly isEcho?: ((type: string, id: string, body: Buffer) => boolean) | undefined
  /** A session has news for its publisher. */
  readonly onAccepted: (session: Session) => void
}
