/**
 * Which functions of our packages ran, how often and in which order, as the engine itself reports it: precise coverage counts
 * the calls, and breakpoints that never pause, because their condition only notes the call, give the order.
 */
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { SourceMap } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Who runs a function. */
export type Role = 'publisher' | 'hub' | 'subscriber'

/** A function that ran. */
export interface Call {
  readonly role: Role
  /** Its source, from `packages/` on: `core/src/bus/event-bus.ts`. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly name: string
  /** How often it ran. */
  readonly calls: number
}

interface Ours {
  readonly role: Role
  readonly file: string
  readonly text: string
  readonly sourceMap: SourceMap
}

const MODULE = /\/packages\/([^/]+)\/dist\/([^?]+)\.js\?role=(publisher|hub|subscriber)$/

/** A pause lets the event loop turn; the timer that batches acknowledgements is far shorter than so many. */
const PAUSE_MS = 25
const QUIET_PAUSES = 8

/** Where conditions of breakpoints note what runs. */
const NOTES = '__walkOfAnEvent'

/** An inspector of this process. Our packages are imported after it has started. */
export class Inspection {
  readonly #session = new Session()
  readonly #scripts = new Map<string, Ours>()
  readonly #noted = new Set<string>()
  /** Keys of functions, the first calls first. */
  readonly #order = new Set<string>()

  /** Counts timers, and the ones that were armed before an event is recorded. */
  #timers = 0
  #before = 0

  /** Starts counting. */
  async start(): Promise<void> {
    this.#holdTimers()
    Object.defineProperty(globalThis, NOTES, { value: this.#order })
    this.#session.connect()
    this.#session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => {
      const [, bundle, path, role] = MODULE.exec(url) ?? []
      if (bundle === undefined || path === undefined || role === undefined) return
      const built = fileURLToPath(url)
      this.#scripts.set(scriptId, {
        role: role as Role,
        file: `${bundle}/src/${path}.ts`,
        text: readFileSync(built, 'utf8'),
        sourceMap: new SourceMap(JSON.parse(readFileSync(`${built}.map`, 'utf8')) as never),
      })
    })
    await this.#session.post('Debugger.enable')
    await this.#session.post('Profiler.enable')
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  }

  /**
   * Resolves with what runs between a call of `act` and the silence after it, in the order of the first calls. Functions whose
   * order is not known yet are noted in further calls of `act`.
   */
  async record(act: () => Promise<unknown>): Promise<Call[]> {
    for (let attempt = 0; attempt < 10; attempt++) {
      await this.#ranUntilQuiet()
      this.#order.clear()
      this.#before = this.#timers
      await act()
      const ran = await this.#ranUntilQuiet()
      this.#before = 0
      const order = [...this.#order]
      const calls = order.flatMap((key) => ran.get(key) ?? [])
      if (calls.length === ran.size && order.length === ran.size) return calls
      for (const key of ran.keys()) await this.#note(key)
    }
    throw new Error('What an event calls did not come out the same twice')
  }

  /** While an event is recorded, a timer from before it starts anew: what a hub looks after every second is not the event's. */
  #holdTimers(): void {
    const { setTimeout } = globalThis
    const held = (run: () => void, ms: number): NodeJS.Timeout => {
      const number = ++this.#timers
      const timer = setTimeout(() => {
        if (number <= this.#before) timer.refresh()
        else run()
      }, ms)
      return timer
    }
    globalThis.setTimeout = held as typeof setTimeout
  }

  /** Resolves, once nothing of ours runs any more, with everything that ran since the last time. */
  async #ranUntilQuiet(): Promise<Map<string, Call>> {
    const ran = new Map<string, Call>()
    for (let quiet = 0; quiet < QUIET_PAUSES; quiet++) {
      await pause(PAUSE_MS)
      const { result } = await this.#session.post('Profiler.takePreciseCoverage')
      for (const { scriptId, functions } of result) {
        const script = this.#scripts.get(scriptId)
        if (script === undefined) continue
        for (const { functionName, ranges } of functions) {
          const [whole] = ranges
          // The engine also counts the fields of a class, as a function that is not in the source.
          if (whole === undefined || whole.count === 0 || isClass(script, whole)) continue
          quiet = 0
          const { startOffset, endOffset, count } = whole
          const key = `${scriptId}:${startOffset}:${endOffset}`
          const calls = (ran.get(key)?.calls ?? 0) + count
          const name = functionName === '' ? '(anonymous)' : functionName
          const { role, file } = script
          ran.set(key, { role, file, ...sourceOf(script, startOffset), name, calls })
        }
      }
    }
    return ran
  }

  /** Has each statement of a function note its key, since it may go on in the middle, behind an `await`. */
  async #note(key: string): Promise<void> {
    if (this.#noted.has(key)) return
    this.#noted.add(key)
    const [scriptId = '', start, end] = key.split(':')
    const script = this.#scripts.get(scriptId)
    if (script === undefined) return
    const { locations } = await this.#session.post('Debugger.getPossibleBreakpoints', {
      start: { scriptId, ...placeOf(script.text, Number(start)) },
      end: { scriptId, ...placeOf(script.text, Number(end)) },
      restrictToFunction: true,
    })
    const condition = `${NOTES}.add('${key}'), false`
    for (const location of locations) {
      await this.#session.post('Debugger.setBreakpoint', { location, condition })
    }
  }
}

function isClass({ text }: Ours, { startOffset }: { readonly startOffset: number }): boolean {
  return /^class\b/.test(text.slice(startOffset, startOffset + 6))
}

/** Line and column of the source, counted from 1. */
function sourceOf({ file, text, sourceMap }: Ours, offset: number): Pick<Call, 'line' | 'column'> {
  const { lineNumber, columnNumber } = placeOf(text, offset)
  const entry = sourceMap.findEntry(lineNumber, columnNumber)
  if (!('originalLine' in entry)) throw new Error(`The source map of ${file} misses ${offset}`)
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}

/** Line and column, counted from 0. */
function placeOf(
  text: string,
  offset: number,
): { readonly lineNumber: number; readonly columnNumber: number } {
  const before = text.slice(0, offset)
  const lineNumber = before.split('\n').length - 1
  return { lineNumber, columnNumber: offset - (before.lastIndexOf('\n') + 1) }
}
