/** A crowd: many subscribers over bare sockets that only count. */
import type { Contender, RawSubscriber } from '../contenders/contender.ts'
import { Count } from '../run/count.ts'
import { MarkCounter } from './mark-counter.ts'

/** Connections that are made at once. */
const BATCH = 50

interface Member extends RawSubscriber {
  readonly counter: MarkCounter
}

/** Subscribers of `order.created`, each with a count of its own. */
export class Crowd {
  readonly #members: Member[] = []
  readonly #contender: Contender
  readonly #url: string
  readonly #mark: string
  /** Over all members. */
  readonly deliveries: Count = new Count('arrived')

  private constructor(contender: Contender, url: string, mark: string) {
    this.#contender = contender
    this.#url = url
    this.#mark = mark
  }

  /** @param mark text that each event holds once */
  static async gather(
    contender: Contender,
    url: string,
    size: number,
    mark: string,
  ): Promise<Crowd> {
    const crowd = new Crowd(contender, url, mark)
    await crowd.growTo(size)
    return crowd
  }

  /** Adds members until there are that many. */
  async growTo(size: number): Promise<void> {
    while (this.#members.length < size) {
      const batch = Math.min(BATCH, size - this.#members.length)
      const joining = Array.from({ length: batch }, async () => await this.#join())
      this.#members.push(...(await Promise.all(joining)))
    }
  }

  /** Throws unless each member is still connected and got exactly that many events. */
  assertEach(events: number): void {
    const wrong = this.#members.filter(
      ({ connection, counter }) => !connection.isOpen || counter.count !== events,
    )
    if (wrong.length === 0) return
    const counts = [...new Set(wrong.map(({ counter }) => counter.count))].slice(0, 5)
    throw new Error(`${wrong.length} subscribers did not get ${events} events but ${counts.join()}`)
  }

  async #join(): Promise<Member> {
    const subscriber = await this.#contender.subscribeRaw?.(this.#url)
    if (subscriber === undefined) {
      throw new Error(`${this.#contender.name} has no subscribers that only count`)
    }
    const counter = new MarkCounter(this.#mark)
    const { connection, counted } = subscriber
    connection.onChunk((chunk) => {
      this.deliveries.add(counter.take(chunk))
      counted?.(counter.count)
    })
    return { ...subscriber, counter }
  }
}
