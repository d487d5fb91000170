/** The main job: reads the command line, runs the job, and reports whether its figures add up. */
import { readArguments, USAGE } from './arguments.ts'
import { Job, SUBSCRIBERS } from './job.ts'
import { BadInputError, loadEvents, type EventSource } from './load-events.ts'
import { JobError } from './processes.ts'
import { formatCount, Progress } from './progress.ts'
import { printReport } from './report.ts'
import { tally } from './tally.ts'
import { totalsOf, type Totals } from './totals.ts'

const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const

/** Someone asked us to stop. */
class Interrupted extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('Interrupted')
    this.exitCode = exitCode
  }
}

async function runJob(source: EventSource, progress: Progress): Promise<Totals> {
  const events = await loadEvents(source)
  const from = source.kind === 'github' ? 'GitHub webhook deliveries' : `events of ${source.path}`
  const title = `${formatCount(events.total)} ${from}`
  progress.print(progress.paint('bold', `${title}, one hub, two subscribers, at-least-once\n`))
  const startedAt = performance.now()
  const job = new Job(source, events, progress)
  const onSigint = (): void => job.abort(new Interrupted(EXIT.interrupted))
  const onSigterm = (): void => job.abort(new Interrupted(EXIT.terminated))
  process.once('SIGINT', onSigint).once('SIGTERM', onSigterm)
  try {
    const report = await job.run()
    const publication = {
      total: events.total,
      typeOf: (sequence: number) => events.at(sequence).type,
      report: report.publisher,
      restarts: report.restarts,
    }
    const accounts = SUBSCRIBERS.flatMap(({ name, pattern }, i) => {
      const received = report.subscribers[i]
      return received ? [{ name, ...tally(publication, pattern, received) }] : []
    })
    const seconds = Math.round((performance.now() - startedAt) / 10) / 100
    return totalsOf({ events: events.total, seconds, job: report, accounts })
  } finally {
    process.off('SIGINT', onSigint).off('SIGTERM', onSigterm)
  }
}

async function main(): Promise<number> {
  const command = readArguments(process.argv.slice(2))
  if (command.kind === 'help') {
    process.stdout.write(`${USAGE}\n`)
    return EXIT.ok
  }
  if (command.kind === 'mistake') {
    process.stderr.write(`${command.message}\n\n${USAGE}\n`)
    return EXIT.usage
  }
  // With --json the standard output holds nothing else.
  const screen = command.json ? process.stderr : process.stdout
  const colour = screen.isTTY && !process.env['NO_COLOR']
  const progress = new Progress({ screen, colour, now: () => performance.now() })
  try {
    const totals = await runJob(command.source, progress)
    printReport(totals, progress)
    if (command.json) process.stdout.write(`${JSON.stringify(totals)}\n`)
    return totals.ok ? EXIT.ok : EXIT.failed
  } catch (error) {
    if (error instanceof BadInputError) {
      process.stderr.write(`${error.message}\n`)
      return EXIT.usage
    }
    if (error instanceof Interrupted) {
      process.stderr.write('Interrupted; all processes have ended.\n')
      return error.exitCode
    }
    if (!(error instanceof JobError)) throw error
    process.stderr.write(`${error.message}\n`)
    if (command.json) {
      process.stdout.write(`${JSON.stringify({ ok: false, problems: [error.message] })}\n`)
    }
    return EXIT.failed
  }
}

process.exitCode = await main()
