/** Who a connection is, and what it may do. */

/** Patterns that somebody may publish to and subscribe to. */
export interface Grants {
  /** Absent: every type. */
  readonly publish?: readonly string[]
  /** Absent: every pattern. A pattern is granted when one of these covers it whole. */
  readonly subscribe?: readonly string[]
}

/** Somebody that the hub knows. */
export interface Principal {
  /** A session belongs to the id that began it. */
  readonly id: string
  /** @default everything is granted */
  readonly grants?: Grants
  /** When the credentials end: wall clock, milliseconds since 1970. @default never */
  readonly expiresAt?: number
}

/** What somebody wants to do with a pattern. */
export type Action = 'publish' | 'subscribe'

/** Decides beyond the grants whether a principal may do something. A type is asked for as a pattern. */
export type Authorize = (principal: Principal, action: Action, pattern: string) => boolean

/** Everybody without credentials, where that is allowed. */
export const ANONYMOUS: Principal = Object.freeze({ id: 'anonymous' })

/** The name under which the connections of a principal are counted together; the anonymous ones are no principal. */
export function countedName(principal: Principal): string | undefined {
  return principal === ANONYMOUS ? undefined : principal.id
}

/** Milliseconds that expired credentials still do, for clocks that differ. */
export const EXPIRY_GRACE_MS = 30_000

/** Whether the credentials of somebody are over, and not only just. */
export function hasExpired({ expiresAt = Infinity }: Principal): boolean {
  return expiresAt + EXPIRY_GRACE_MS <= Date.now()
}

/** Whether a value that an application returned is a principal. */
export function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null) return false
  const { id, expiresAt } = value as Partial<Principal>
  return (
    typeof id === 'string' &&
    id !== '' &&
    (expiresAt === undefined || (typeof expiresAt === 'number' && !Number.isNaN(expiresAt)))
  )
}
