/** What a process of a run can be asked, and how the questions travel. */

/** Functions by name. Each takes at most one thing, which is copied, as its answer is. */
export type Duties<D> = { readonly [K in keyof D]: (order: never) => unknown }

/** The parent's question. */
export interface Question {
  readonly id: number
  readonly duty: string
  readonly order: unknown
}

/** The child's answer; the first one, to question 0, says that it is loaded. */
export type Answer =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string }
