/** The runner: the little that the suites ask of a test runner, so that any will do. */

/** `describe` and `it` of vitest, `node:test`, jest or bun. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  /** `timeoutMs`: how long it may take; runners that know no such argument have no limit or one of their own. */
  readonly it: ((name: string, body: () => Promise<void>, timeoutMs?: number) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown
  }
}
