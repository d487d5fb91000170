/** The `bus` command: reads its arguments, and gives what is to be done to the command that they name. */
import { doctor } from './doctor/doctor.ts'
import { ExitCode, UsageError, type CommandIo } from './command-io.ts'

const HELP = `Usage: bus <command> [options]

Commands:
  doctor    checks step by step whether a server can be reached, or explains an error

Each command has its own --help.

Exit codes:
  0  all is well
  1  a problem was found
  2  the command was not used as it should be
`

/** Characters of a message that are shown: it may quote an argument. */
const MAX_MESSAGE = 1_000
/** What would begin another line, or mean something to a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** Runs the command. @returns the exit code */
export async function main(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const [command, ...rest] = args
  try {
    if (command === 'doctor') return await doctor(rest, io)
    if (command === '--help' || command === '-h') {
      io.stdout.write(HELP)
      return ExitCode.fine
    }
    const given = command === undefined ? 'nothing' : `\`${command}\``
    throw new UsageError(`Expected a command: \`doctor\`, got ${given}`, HELP)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const message = error.message.slice(0, MAX_MESSAGE).replaceAll(UNPRINTABLE, '\uFFFD')
    io.stderr.write(`${message}\n\n${error.help}`)
    return ExitCode.usage
  }
}
