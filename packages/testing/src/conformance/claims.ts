/** The promises that turn cases on, each with its word in titles and reports. */
import type { Capabilities } from '@bus/core'
import type { Claim } from './case.ts'

/** What was published is confirmed. */
export const CONFIRMS: Claim = claim('publishConfirm', ({ publishConfirm }) => publishConfirm)

/** What comes a second time is known. */
export const DEDUPES: Claim = claim('dedupe', ({ dedupe }) => dedupe)

/** A lost link is made again. */
export const RECONNECTS: Claim = claim('reconnect', ({ reconnect }) => reconnect)

/** What a break kept away comes after it. */
export const RESUMES: Claim = claim('resume', ({ resume }) => resume)

/** What is lost is told. */
export const TELLS_GAPS: Claim = claim('gaps', ({ gaps }) => gaps)

/** A reader that does not keep up holds back what comes. */
export const HOLDS_READING: Claim = claim(
  'inbound backpressure',
  ({ backpressure }) => backpressure.inbound !== 'none',
)

/** A publisher waits while its queue is full. */
export const BLOCKS: Claim = claim(
  'outbound backpressure',
  ({ backpressure }) => backpressure.outbound === 'block',
)

/** A pattern may stand for many types. */
export const WILDCARDS: Claim = claim('wildcards', ({ wildcards }) => wildcards)

/** Bytes arrive as bytes. */
export const BINARY: Claim = claim('binary', ({ binary }) => binary)

/** The events of one publisher stay in order. */
export const KEEPS_ORDER: Claim = claim(
  'order per publisher',
  ({ ordering }) => ordering !== 'none',
)

/** Every subscriber sees the events of all publishers in one order. */
export const TOTAL_ORDER: Claim = claim('total order', ({ ordering }) => ordering === 'total')

/** Both. */
export function both(one: Claim, other: Claim): Claim {
  return claim(
    `${one.capability} and ${other.capability}`,
    (capabilities) => one.holds(capabilities) && other.holds(capabilities),
  )
}

function claim(capability: string, holds: (capabilities: Capabilities) => boolean): Claim {
  return Object.freeze({ capability, holds })
}
