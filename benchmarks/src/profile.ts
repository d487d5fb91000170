/** The command that profiles a throughput run: which functions take the time of the broker and of the client. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { topSelfTimes } from './report/cpu-profile.ts'
import { withBroker, withClient, type StartOptions, type Step } from './run/job.ts'
import { WORKLOAD_NAMES, type WorkloadName } from './workload/workload.ts'

const USAGE = `Profiles publisher, subscriber and broker while events go through.

  --contender A   @default bus
  --workload W    orders, github @default orders
  --events N      @default 400000
  --top N         functions to print @default 25
  --keep DIR      write the profiles there, for a viewer
  --help          print this
`

const { values } = parseArgs({
  options: {
    contender: { type: 'string', default: 'bus' },
    workload: { type: 'string', default: 'orders' },
    events: { type: 'string', default: '400000' },
    top: { type: 'string', default: '25' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** What to profile. */
interface Order {
  readonly contender: string
  readonly workload: WorkloadName
  readonly count: number
}

if (values.help) process.stdout.write(USAGE)
else {
  const workload = WORKLOAD_NAMES.find((name) => name === values.workload)
  if (workload === undefined) throw new TypeError(`There is no workload ${values.workload}`)
  const order = { contender: values.contender, workload, count: Number(values.events) }
  await profile(order, Number(values.top), values.keep)
}

async function profile(order: Order, top: number, keep: string | undefined): Promise<void> {
  const { contender, workload, count } = order
  const directory = keep ?? mkdtempSync(join(tmpdir(), 'bench-profile-'))
  try {
    const seconds = await run(order, directory)
    const rate = (count / seconds / 1_000).toFixed(1)
    process.stdout.write(`${contender}, ${count} ${workload}: ${rate} k events/s while profiled\n`)
    for (const name of ['client', 'broker']) {
      process.stdout.write(`\n${name}\n\n${tableOf(join(directory, `${name}.cpuprofile`), top)}\n`)
    }
  } finally {
    if (keep === undefined) rmSync(directory, { recursive: true })
  }
}

/** Resolves, once both processes have ended and written their profiles, with the seconds that it took. */
async function run({ contender, workload, count }: Order, directory: string): Promise<number> {
  const profiled = (name: string): StartOptions => ({
    nodeOptions: [
      '--cpu-prof',
      `--cpu-prof-dir=${directory}`,
      `--cpu-prof-name=${name}.cpuprofile`,
    ],
  })
  const measure = async (step: Step): Promise<number> => {
    await step('warmUp')
    const { seconds } = await step<{ readonly seconds: number }>('measure')
    return seconds
  }
  return await withBroker(
    contender,
    async ({ url }) => {
      const order = { question: 'throughput', contender, url, workload, count }
      return await withClient(order, measure, profiled('client'))
    },
    profiled('broker'),
  )
}

function tableOf(file: string, top: number): string {
  return topSelfTimes(readFileSync(file, 'utf8'), top)
    .map(({ where, share, ms }) => {
      const percent = `${(share * 100).toFixed(1)} %`
      return `${percent.padStart(7)} ${ms.toFixed(0).padStart(7)} ms  ${where}`
    })
    .join('\n')
}
