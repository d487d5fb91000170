/** The lines of a run, one for each client that is in trouble. */
import type { LinkDirection } from '@bus/testing/chaos'
import { Line, type Tears } from './line.ts'

/** Ends with its run. */
export class Lines implements AsyncDisposable {
  readonly all: readonly Line[]

  private constructor(all: readonly Line[]) {
    this.all = all
  }

  /** @param busy - what each client mostly does */
  static async start(
    targetPort: number,
    seed: number,
    busy: readonly LinkDirection[],
  ): Promise<Lines> {
    return new Lines(await Promise.all(busy.map((way, i) => Line.start(targetPort, seed + i, way))))
  }

  /** Where the client of this line connects. */
  url(index: number): string {
    const line = this.all[index]
    if (line === undefined) throw new RangeError(`There is no line ${index}`)
    return line.url
  }

  /** The tears of all lines together, with their total. */
  get tears(): Tears & { readonly disconnects: number } {
    const total = { reset: 0, end: 0, cut: 0, midFrame: 0 }
    for (const { tears } of this.all) {
      total.reset += tears.reset
      total.end += tears.end
      total.cut += tears.cut
      total.midFrame += tears.midFrame
    }
    return { disconnects: total.reset + total.end + total.cut, ...total }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((line) => line[Symbol.asyncDispose]()))
  }
}
