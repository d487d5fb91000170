/** The types of a typed bus: what an event map lets `publish` send, and what a pattern lets a handler receive. */
import type { Event, EventInit } from './event.ts'

/** An event map: type → payload, as a type or an interface. `object`, the default, stands for any type and payload. */
export type EventMap = object

/** The event types of a map. */
type TypeOf<M> = [keyof M] extends [never] ? string : keyof M & string

/** Type → event. A mapped type, so that `ByType<M>[T]` is known also inside a function that is generic in `T`. */
type ByType<M> = { [T in keyof M]: Event<M[T], T & string> }

type At<M, T> = ByType<M>[T & keyof M]

/** The whole events that a bus with this map publishes. */
type AnyEventOf<M> = [keyof M] extends [never] ? Event : ByType<M>[keyof M]

/** The types of an event map that a pattern matches: `'order.*'` gives the union of its events. */
export type Matching<M extends EventMap, P extends string> = [keyof M] extends [never]
  ? string
  : Matches<M, P>

type Matches<M, P extends string> = P extends `${string}>`
  ? keyof M & Glob<P>
  : Shallow<keyof M & Glob<P>, Deeper<P>>

/** A pattern as a template type. Its `${string}` also takes dots, so that {@link Shallow} removes what is too deep. */
type Glob<P extends string, Before extends string = ''> = P extends `${infer Head}.${infer Rest}`
  ? Glob<Rest, `${Before}${Head extends '*' ? string : Head}.`>
  : `${Before}${P extends '*' | '>' ? string : P}`

type Shallow<T, D> = [T & D] extends [never] ? T : Exclude<T, D>

/** The types with more tokens than the pattern. */
type Deeper<
  P extends string,
  Before extends string = `${string}.${string}`,
> = P extends `${string}.${infer Rest}` ? Deeper<Rest, `${Before}.${string}`> : Before

type Wildcard = `${string}*${string}` | `${string}>`

/**
 * The events that a pattern delivers, as a union that `event.type` discriminates.
 *
 * Inside a function that is generic in the type, `P & Wildcard` is seen to be nothing, and an index into nothing is nothing:
 * what is left is the event of that type.
 */
export type EventOf<M extends EventMap, P extends string> = [keyof M] extends [never]
  ? Event
  : At<M, P> | { readonly wildcard: At<M, Matches<M, P>> }[(P & Wildcard)[number] & 'wildcard']

/** The patterns that editors offer: the types, and their prefixes with a wildcard. */
export type PatternOf<M extends EventMap> = [keyof M] extends [never]
  ? string
  : (keyof M & string) | Prefixes<keyof M & string>

type Prefixes<
  T extends string,
  Before extends string = '',
> = T extends `${infer Head}.${infer Rest}`
  ? `${Before}>` | Prefixes<Rest, `${Before}${Head}.`>
  : `${Before}*` | `${Before}>`

/** A pattern that is only known at run time: `string`, or a template of it; `never` for a literal. */
export type RunTimePattern<P extends string> = {} extends Record<P, unknown> ? P : never

/** A pattern that is only known at run time, or has wildcards and matches some type; anything else is a typo. */
export type OtherPattern<M extends EventMap, P extends string> = P extends P
  ? P extends Wildcard
    ? [Matching<M, P>] extends [never]
      ? never
      : P
    : RunTimePattern<P>
  : never

/** What `publish` and `emit` take first: a type of the map, or a whole event. */
export type Publishable<M extends EventMap> = TypeOf<M> | AnyEventOf<M>

/** What else may be said of an event that `publish` or `emit` makes. */
export interface MetadataOptions {
  /** Its metadata, and its id. @default none */
  readonly metadata?: EventInit | undefined
}

/** What `publish` and `emit` take after a type, or after a whole event. */
export type PublishRest<M extends EventMap, W, Options> = {
  readonly type: [payload: PayloadOf<M, W>, options?: Options & MetadataOptions]
  readonly event: [options?: Options]
}[W extends string ? 'type' : 'event']

/** For a union of types: what is a payload of each. Inside a function that is generic in the type: `M[T]`. */
type PayloadOf<M, T> = [keyof M] extends [never]
  ? unknown
  : OfEach<M, T> | { readonly payload: M[T & keyof M] }[T extends string ? never : 'payload']

type OfEach<M, T> = (T extends keyof M ? (payload: M[T]) => void : never) extends (
  payload: infer P,
) => void
  ? P
  : never
