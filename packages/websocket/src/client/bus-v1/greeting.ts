/** The greeting: what the client says first on each link, and the hub's answer, which names the session. */
import { helloLine, type Hello } from '../../protocol/bus-v1/hello.ts'
import { VERSION } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { SessionLink } from '../link/session.ts'
import { waitWithin, type Waiting } from './waiting.ts'

/** One per session, for one link after the other. */
export class Greeting {
  /** As the hub has named the session. */
  #sid: string | undefined
  /** Links that said `hello`. */
  #links = 0
  #waiting: Waiting<Welcome> | undefined
  #isWelcomed = false

  /** Whether the hub has answered on this link. */
  get isWelcomed(): boolean {
    return this.#isWelcomed
  }

  /** Says hello. Rejects with what {@link fail} is given, or with the signal's reason. */
  exchange(
    link: SessionLink,
    hello: Omit<Hello, 'v' | 'sid' | 'link'>,
    signal: AbortSignal,
  ): Promise<Welcome> {
    const welcome = waitWithin<Welcome>(signal, (waiting) => (this.#waiting = waiting))
    const session = this.#sid === undefined ? {} : { sid: this.#sid }
    const line = helloLine({ v: VERSION, ...hello, link: ++this.#links, ...session })
    // A failing write ends the link, and the wait with it.
    void link.send(line).catch(() => {})
    link.flow()
    return welcome
  }

  /** The hub's answer came. @returns what is wrong with it */
  answered(welcome: Welcome): 'again' | 'sid' | undefined {
    const waiting = this.#waiting
    if (waiting === undefined) return 'again'
    if (welcome.resumed && welcome.sid !== this.#sid) {
      this.#sid = undefined
      return 'sid'
    }
    this.#waiting = undefined
    this.#isWelcomed = true
    this.#sid = welcome.sid
    waiting.resolve(welcome)
    return undefined
  }

  /** `false`: nobody waits for an answer. */
  fail(error: Error): boolean {
    this.#waiting?.reject(error)
    return this.#waiting !== undefined
  }

  /** The link is gone. */
  forgetLink(): void {
    this.#waiting = undefined
    this.#isWelcomed = false
  }

  /** The next link begins another session. */
  forgetSession(): void {
    this.#sid = undefined
  }
}
