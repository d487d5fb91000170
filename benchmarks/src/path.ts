/** The command that follows one acknowledged event: which files and functions of ours run, and in which order. */
import { register } from 'node:module'
import { parseArgs } from 'node:util'
import { Inspection, type Call, type Role } from './walk/inspection.ts'

const USAGE = `Follows one acknowledged event from publish() over the hub to the handler and back.

  --max-files N       more files are a failure @default 30
  --max-functions N   more functions are a failure @default 150
  --json              print data
  --help              print this

Ends with 1 where there is more of either.
`

/** So many events go before: connections, caches and pools are made, and the engine has seen everything. */
const WARM_UP_EVENTS = 500

const ROLES: readonly Role[] = ['publisher', 'hub', 'subscriber']

/** How much code a walk takes. */
interface Size {
  readonly files: number
  readonly functions: number
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}

/** Resolves with the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      'max-files': { type: 'string', default: '30' },
      'max-functions': { type: 'string', default: '150' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return 0
  }
  const most: Size = {
    files: count('--max-files', values['max-files']),
    functions: count('--max-functions', values['max-functions']),
  }
  const walk = await walkOfAnEvent()
  const total = sizeOf(walk)
  const roles = ROLES.map((role) => ({
    role,
    ...sizeOf(walk.filter((call) => call.role === role)),
  }))
  const text = values.json
    ? JSON.stringify({ most, total, roles, walk }, undefined, 2)
    : [...linesOf(walk), ...totalsOf(total, roles, most)].join('\n')
  process.stdout.write(`${text}\n`)
  return total.files > most.files || total.functions > most.functions ? 1 : 0
}

function count(option: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new TypeError(`Expected ${option} to be an integer ≥ 0, got ${text}`)
}

/** Publisher, hub and subscriber in this process, each with its own copy of our packages, exchange one event. */
async function walkOfAnEvent(): Promise<Call[]> {
  register('./walk/roles.js', import.meta.url)
  const inspection = new Inspection()
  await inspection.start()
  const { createHub } = await load<typeof import('@bus/websocket/hub')>('@bus/websocket/hub', 'hub')
  await using hub = await createHub({ allowAnonymous: true, port: 0 })
  await using subscriber = await connect('subscriber', hub.url)
  await using publisher = await connect('publisher', hub.url)
  let handled = 0
  await subscriber.subscribe('order.*', () => {
    handled += 1
  })
  const publish = async (): Promise<void> => {
    const order = { id: 4711, items: [{ sku: 'A-1', quantity: 2 }], total: 59.8 }
    await publisher.publish('order.created', order, { delivery: 'at-least-once' })
  }
  for (let i = 0; i < WARM_UP_EVENTS; i++) await publish()
  const before = handled
  const walk = await inspection.record(publish)
  if (handled === before) throw new Error('The handler did not see the event')
  return walk
}

async function connect(role: Role, url: string): Promise<import('@bus/core').Bus> {
  const { createBus } = await load<typeof import('@bus/core')>('@bus/core', role)
  const { webSocketTransport } = await load<typeof import('@bus/websocket')>('@bus/websocket', role)
  const bus = createBus({ transport: webSocketTransport({ url }), deadLetters: false })
  await bus.connect()
  return bus
}

async function load<T>(name: string, role: Role): Promise<T> {
  return (await import(`${import.meta.resolve(name)}?role=${role}`)) as T
}

/** Distinct files and functions: what two roles share is one. */
function sizeOf(calls: readonly Call[]): Size {
  return {
    files: new Set(calls.map(({ file }) => file)).size,
    functions: new Set(calls.map(({ file, line, column }) => `${file}:${line}:${column}`)).size,
  }
}

/** The walk in the order of first calls, with a heading wherever the role changes. */
function linesOf(walk: readonly Call[]): string[] {
  const width = Math.max(...walk.map(({ name }) => name.length))
  return walk.flatMap(({ role, file, line, name }, i) => {
    const step = `  ${name.padEnd(width)}  ${file}:${line}`
    return role === walk[i - 1]?.role ? [step] : [`${i === 0 ? '' : '\n'}${role}`, step]
  })
}

function totalsOf(
  total: Size,
  roles: readonly (Size & { readonly role: Role })[],
  most: Size,
): string[] {
  const line = (name: string, { files, functions }: Size): string =>
    `${name.padEnd(10)}  ${String(files).padStart(3)} files  ${String(functions).padStart(3)} functions`
  return [
    '',
    ...roles.map(({ role, ...size }) => line(role, size)),
    line('together', total),
    line('at most', most),
  ]
}
