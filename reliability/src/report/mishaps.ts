/** What must not happen anywhere in a process. */

/** Notes it from its construction on. */
export class Mishaps {
  readonly seen: string[] = []

  constructor() {
    const note = (kind: string) => (what: unknown) =>
      void this.seen.push(`${kind}: ${String(what)}`)
    process.on('unhandledRejection', note('unhandled rejection'))
    process.on('uncaughtException', note('uncaught exception'))
    process.on('warning', note('warning'))
  }
}
