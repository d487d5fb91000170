/** Arrivals: counts what a subscriber gets and tells whether it is what was published. */
import { Count } from '../run/count.ts'
import type { Workload } from './workload.ts'

/** Counts and checks the events of one publisher. */
export class Arrivals {
  readonly #workload: Workload
  readonly count: Count = new Count('arrived')
  #last = 0
  #outOfOrder = 0
  #sum = 0

  constructor(workload: Workload) {
    this.#workload = workload
  }

  /** Takes one event; the handler of every contender. */
  readonly take = (payload: unknown, sequence: number): void => {
    this.#sum += this.#workload.read(payload)
    if (sequence !== this.#last + 1) this.#outOfOrder++
    this.#last = sequence
    this.count.add(1)
  }

  /** Throws unless exactly the events 1 to `published` arrived, in order, with their payloads. */
  assertComplete(published: number): void {
    let sum = 0
    for (let sequence = 1; sequence <= published; sequence++) {
      sum += this.#workload.read(this.#workload.message(sequence).payload)
    }
    const isComplete = this.count.value === published && this.#outOfOrder === 0 && this.#sum === sum
    if (isComplete) return
    throw new Error(
      `Of ${published} events ${this.count.value} arrived, ${this.#outOfOrder} out of order, ` +
        `with ${this.#sum === sum ? 'the right' : 'wrong'} payloads`,
    )
  }
}
