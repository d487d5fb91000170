/** What the processes of the job tell each other. */
import type { Delivery, Gap } from '@bus/core'
import type { EventSource } from './load-events.ts'
import type { Range } from './ranges.ts'

/** A command to a child process. */
export type Order =
  /** Hub: listen here; 0 lets the system choose. */
  | { readonly kind: 'listen'; readonly port: number }
  | { readonly kind: 'subscribe'; readonly url: string; readonly pattern: string }
  | { readonly kind: 'publish'; readonly url: string; readonly source: EventSource }
  /** Subscriber: nothing more is published. `expected` matched, if none got lost. */
  | { readonly kind: 'finish'; readonly expected: number }

/** What a child tells. */
export type News =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'progress'; readonly events: number }
  | { readonly kind: 'link'; readonly is: 'lost' | 'back' }
  | { readonly kind: 'published'; readonly report: PublisherReport }
  | { readonly kind: 'received'; readonly report: SubscriberReport }
  | { readonly kind: 'failed'; readonly message: string }

/** An item of news by its kind. */
export type NewsOf<K extends News['kind']> = Extract<News, { kind: K }>

/** How publishing went. */
export interface PublisherReport {
  /** What the transport promised in the end. */
  readonly guarantee: Delivery
  /** Publishes that succeeded. */
  readonly published: number
  /** Those of them that the hub has confirmed: every subscriber had settled the event. */
  readonly confirmed: number
  /** Publishes that failed, by the code of their error. */
  readonly rejected: Readonly<Record<string, number>>
  /** The numbers of those that certainly were not sent. */
  readonly notSent: readonly Range[]
  /** The numbers of those with an unknown outcome. */
  readonly unknown: readonly Range[]
  /** Times that an event was written again after a broken link. */
  readonly resent: number
  readonly reconnects: number
  readonly dropped: number
  readonly deadLetters: number
}

/** What one subscriber got. */
export interface SubscriberReport {
  /** The numbers that its handler got, each at least once. */
  readonly delivered: readonly Range[]
  /** Further deliveries of a number that it had. */
  readonly duplicates: number
  /** Numbers that came after a higher one. */
  readonly disordered: number
  /** Events without a number, which this job did not publish. */
  readonly strangers: number
  /** Events that arrived again and were kept from the handler. */
  readonly suppressed: number
  /** Why events may be missing, each time that the hub said so. */
  readonly gapNotices: readonly Gap['reason'][]
  /** The numbers of events that ended in its dead letters. */
  readonly deadLettered: readonly Range[]
  readonly deadLetters: number
  readonly reconnects: number
  readonly dropped: number
}
