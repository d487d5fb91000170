/** Calls between a parent and its child over Node's IPC channel. */

/** What the parent asks for. */
export interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

/** What the child answers. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }

/** What a child can be asked. Arguments and results travel as JSON. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>

/** Answers the parent's calls, and ends this process when the parent is gone. */
export function serve(methods: Methods): void {
  process.on('disconnect', () => process.exit())
  const answer = async ({ id, method, argument }: Call): Promise<Answer> => {
    try {
      const called = methods[method]
      if (called === undefined) throw new RangeError(`There is no method ${method}`)
      return { id, result: await called(argument as never) }
    } catch (error) {
      return { id, error: error instanceof Error ? error.message : String(error) }
    }
  }
  process.on('message', (call) => {
    void answer(call as Call).then((reply) => process.send?.(reply))
  })
}
