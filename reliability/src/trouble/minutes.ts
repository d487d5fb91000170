/** Faults by the clock: one in each simulated minute, of each kind in turn, on some line that is up. */
import type { Random } from '@bus/core'
import type { Line } from './line.ts'

/** What can happen to a line. */
export type FaultKind = 'reset' | 'end' | 'cut' | 'hole' | 'silence'

const KINDS: readonly FaultKind[] = ['reset', 'end', 'cut', 'hole', 'silence']
/** Milliseconds of a hole: half a simulated minute. */
const HOLE_MS = 30
/** Bytes, at most, after which a cut comes. */
const CUT_BYTES = 4_000

export interface MinutesOptions {
  readonly lines: readonly Line[]
  readonly random: Random
  /** Faults in all. */
  readonly planned: number
  /** Milliseconds of one simulated minute. */
  readonly minuteMs: number
  /** Milliseconds of a silence: longer than a heartbeat allows. */
  readonly silenceMs: number
}

/** Runs between {@link start} and {@link stop}. */
export class Minutes {
  /** Faults that were made, by kind. */
  readonly made: Record<FaultKind, number> = { reset: 0, end: 0, cut: 0, hole: 0, silence: 0 }
  readonly #options: MinutesOptions
  /** When each line was silenced last. */
  readonly #silencedAt = new Map<Line, number>()
  #timer: NodeJS.Timeout | undefined
  #startedAt = 0
  #done = 0

  constructor(options: MinutesOptions) {
    this.#options = options
  }

  get done(): number {
    return this.#done
  }

  start(): void {
    this.#startedAt = performance.now()
    this.#timer = setInterval(() => this.#tick(), this.#options.minuteMs / 3)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Whether the link of this line was silent within the last so many milliseconds. */
  wasSilent(line: Line, withinMs: number): boolean {
    const { silenceMs } = this.#options
    const since = performance.now() - (this.#silencedAt.get(line) ?? -Infinity)
    return since <= silenceMs + withinMs
  }

  #tick(): void {
    const { planned, minuteMs, lines, random } = this.#options
    const due = Math.min(planned, Math.floor((performance.now() - this.#startedAt) / minuteMs))
    while (this.#done < due) {
      // One that is silent has its fault already.
      const up = lines.filter((line) => line.isUp && !this.wasSilent(line, 0))
      const line = up[Math.floor(random() * up.length)]
      if (line === undefined) return
      this.#make(KINDS[this.#done % KINDS.length] ?? 'reset', line)
      this.#done++
    }
  }

  #make(kind: FaultKind, line: Line): void {
    const { random, silenceMs } = this.#options
    this.made[kind]++
    switch (kind) {
      case 'reset':
      case 'end':
        line.tear(kind)
        break
      case 'cut':
        line.cutAfter(1 + Math.floor(random() * CUT_BYTES), { direction: line.busy, how: 'reset' })
        break
      case 'hole':
        line.network.hole(HOLE_MS)
        break
      case 'silence':
        this.#silencedAt.set(line, performance.now())
        line.network.hole(silenceMs)
        break
    }
  }
}
