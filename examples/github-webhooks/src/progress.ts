/** The progress view: what happens now, as lines; in a terminal with bars below them. */
import { styleText } from 'node:util'

/** One bar: how many of how many. */
export interface Bar {
  readonly name: string
  readonly of: number
  events: number
}

/** Where the view is drawn; a terminal, a pipe or a file. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** What the view needs to know. */
export interface ProgressOptions {
  readonly screen: Screen
  /** Whether colours are welcome. */
  readonly colour: boolean
  /** Milliseconds since whenever. */
  readonly now: () => number
}

const REDRAW_MS = 80
const BAR_WIDTH = 30
/** Without a terminal a line is printed per tenth. */
const STEPS = 10

/** A colour of the view. */
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan'

/** Draws lines and bars. */
export class Progress {
  readonly #screen: Screen
  readonly #options: ProgressOptions
  readonly #startedAt: number
  readonly #isLive: boolean
  #bars: readonly Bar[] = []
  #timer: NodeJS.Timeout | undefined
  /** Lines of bars that are on the screen now. */
  #drawn = 0
  #step = 0

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#screen = options.screen
    this.#isLive = options.screen.isTTY === true
    this.#startedAt = options.now()
  }

  /** The text in a colour, where colours are welcome. */
  paint(style: Style, text: string): string {
    if (!this.#options.colour || text === '') return text
    // Whether the screen shows colours was decided by its creator.
    return styleText(style, text, { validateStream: false })
  }

  /** A heading or a table, as it is. */
  print(text: string): void {
    this.#erase()
    this.#screen.write(`${text}\n`)
    this.#draw()
  }

  /** Something happened. */
  say(style: Style, text: string): void {
    this.print(`${this.paint('dim', this.#time())}  ${this.paint(style, text)}`)
  }

  /** Shows the bars until `stop`; the first one gives the pace. */
  show(bars: readonly Bar[]): void {
    this.#bars = bars
    if (this.#isLive) this.#timer = setInterval(() => this.#redraw(), REDRAW_MS)
  }

  /** A bar has grown. */
  changed(): void {
    const [first] = this.#bars
    if (this.#isLive || first === undefined) return
    const step = Math.floor((first.events / first.of) * STEPS)
    if (step <= this.#step) return
    this.#step = step
    const counts = this.#bars.map(({ name, events }) => `${name} ${formatCount(events)}`)
    this.say('dim', counts.join(' · '))
  }

  /** Leaves the bars as they are. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#isLive && this.#bars.length > 0) this.#redraw()
    this.#bars = []
    this.#drawn = 0
  }

  #time(): string {
    return `${((this.#options.now() - this.#startedAt) / 1_000).toFixed(2).padStart(6)} s`
  }

  #redraw(): void {
    this.#erase()
    this.#draw()
  }

  #erase(): void {
    if (this.#drawn > 0) this.#screen.write(`\u001B[${this.#drawn}A\u001B[J`)
    this.#drawn = 0
  }

  #draw(): void {
    if (!this.#isLive || this.#bars.length === 0) return
    const width = Math.max(...this.#bars.map(({ name }) => name.length))
    const lines = this.#bars.map((bar) => this.#line(bar, width))
    this.#screen.write(`\n${lines.join('\n')}\n`)
    this.#drawn = lines.length + 1
  }

  #line({ name, of, events }: Bar, width: number): string {
    const room = (this.#screen.columns ?? 80) - width - 26
    const length = Math.max(4, Math.min(BAR_WIDTH, room))
    const full = of === 0 ? length : Math.floor(Math.min(1, events / of) * length)
    const bar = this.paint('cyan', '█'.repeat(full)) + this.paint('dim', '░'.repeat(length - full))
    return `  ${name.padEnd(width)}  ${bar}  ${formatCount(events)} / ${formatCount(of)}`
  }
}

/** `10,000`, the same in every locale. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US')
}
