/** A workload: the events that every contender carries in one run. */

/** What an event is made of; each contender makes its own event from it. */
export interface Message {
  /** As our bus publishes it. */
  readonly type: string
  readonly payload: unknown
  /** From 1 upwards; travels in the metadata. */
  readonly sequence: number
}

/** Events by number, the same for every contender. */
export interface Workload {
  readonly name: WorkloadName
  /** The one subject, channel, topic or room that peers use. */
  readonly subject: string
  /** What our own bus subscribes to. */
  readonly pattern: string
  /** The mean size of an event in plain JSON. */
  readonly meanBytes: number
  message(sequence: number): Message
  /** What the handler reads of the parsed payload; 0 where it holds nothing to read. */
  read(payload: unknown): number
}

export type WorkloadName = 'orders' | 'github'

export const WORKLOAD_NAMES: readonly WorkloadName[] = Object.freeze(['orders', 'github'])
