/** What every command works with: the streams of its process, its exit codes, and the error for wrong usage. */

/** The parts of `process` that a command uses. */
export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Where a command writes. */
export interface Output {
  /** A terminal gets text for people, anything else gets lines of JSON. */
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** What the shell gets. */
export type ExitCode = 0 | 1 | 2

/** By meaning. */
export const ExitCode: { readonly fine: 0; readonly problem: 1; readonly usage: 2 } = Object.freeze(
  {
    fine: 0,
    problem: 1,
    usage: 2,
  },
)

/** The arguments are not of their accepted form. */
export class UsageError extends Error {
  /** How to use it. */
  readonly help: string

  constructor(message: string, help: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'UsageError'
    this.help = help
  }
}
