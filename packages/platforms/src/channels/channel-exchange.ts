/** The exchange: one request about channels on one link, and what became of each channel. */
import { setMaxListeners } from 'node:events'
import { BusError, DisconnectedError, RejectedError, TimeoutError } from '@bus/core'
import { withDeadline } from '@bus/core/kit'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'
import type { ChannelAnswer, ChannelAsk, ResolvedChannelOptions } from './channel-options.ts'

/** What became of the channels of one request. What is in neither was not answered in time. */
export interface Verdict {
  readonly granted: ReadonlySet<string>
  readonly refused: ReadonlyMap<string, Error>
}

/** Looks at what a frame says beyond the request that it answers. */
export type Overheard = (said: readonly ChannelAnswer[]) => void

type Kind = 'subscribe' | 'unsubscribe'

const WHAT = Object.freeze({ subscribe: 'Subscribing', unsubscribe: 'Unsubscribing' })

/**
 * Makes requests, one at a time until an answer has shown that it says what it is about, by an id or by its channels: whoever calls
 * {@link run} waits for its end before the next unless {@link isAttributed}.
 */
export class ChannelExchange {
  readonly #options: ResolvedChannelOptions
  readonly #overheard: Overheard
  #lastId = 0
  #failure: unknown
  /** Whether the answers say what they are about; `undefined` before the first. */
  #isAttributed: boolean | undefined

  constructor(options: ResolvedChannelOptions, overheard: Overheard) {
    this.#options = options
    this.#overheard = overheard
  }

  /** @throws what the link ended with, and nothing else: every other failure is a verdict */
  async run(kind: Kind, channels: readonly string[], link: ProtocolLink): Promise<Verdict> {
    const ask = this.#options[kind]
    const verdict = new OpenVerdict(kind, channels)
    if (ask === undefined) return verdict.settle({})
    const { expiresMs: timeoutMs, clock } = this.#options
    const limits = { timeoutMs, clock, what: WHAT[kind], signal: link.signal }
    // As many requests as there may be side by side listen to it, and no more.
    setMaxListeners(0, link.signal)
    try {
      await withDeadline((signal) => this.#exchange(ask, verdict, link, signal), limits)
    } catch (error) {
      // The write may notice the loss before the link does.
      if (link.signal.aborted || error instanceof DisconnectedError) throw lossOf(link, error)
      // What was not answered says so by being in no set; what had been answered stays so.
      if (!(error instanceof TimeoutError)) verdict.settle({ error: refusal(error) })
    }
    return verdict
  }

  /** Requests may be under way side by side: each answer so far had an id, or named its channels. */
  get isAttributed(): boolean {
    return this.#isAttributed === true
  }

  /** What `answer` threw last: a frame that it cannot read says nothing, and the dialect judges that frame. */
  get failure(): unknown {
    return this.#failure
  }

  /** What a frame says about channels. */
  read(frame: Frame): readonly ChannelAnswer[] | undefined {
    try {
      const said = this.#options.answer?.(frame)
      return said === undefined || isList(said) ? said : [said]
    } catch (error) {
      this.#failure = error
      return undefined
    }
  }

  async #exchange(
    ask: ChannelAsk,
    verdict: OpenVerdict,
    link: ProtocolLink,
    signal: AbortSignal,
  ): Promise<void> {
    const id = ++this.#lastId
    const asked = ask([...verdict.open], { id, link, signal })
    if (typeof asked !== 'string' && !(asked instanceof Uint8Array)) {
      const channels = (await asked) ?? undefined
      if (channels !== undefined) verdict.settle({ channels })
      const error = new RejectedError('The server left it out of its answer')
      verdict.settle(channels === undefined ? {} : { error })
      return
    }
    const isAnswered = this.#options.answer !== undefined
    await Promise.all([isAnswered && this.#listen(id, verdict, link, signal), link.send(asked)])
    if (!isAnswered) verdict.settle({})
  }

  /** Resolves when every channel has its answer, which may be in several frames. */
  #listen(
    id: number,
    verdict: OpenVerdict,
    link: ProtocolLink,
    signal: AbortSignal,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const match = (frame: Frame): true | undefined => {
        const said = this.read(frame)
        if (said === undefined || !verdict.take(said, id)) return undefined
        this.#isAttributed = this.#isAttributed !== false && said.every(isAttributed)
        this.#overheard(said)
        // Before this frame is used up: the next may come in the same turn.
        if (verdict.open.size > 0) listen()
        else resolve()
        return true
      }
      const listen = (): void => void link.waitFor(match, signal).catch(reject)
      listen()
    })
  }
}

class OpenVerdict implements Verdict {
  readonly granted: Set<string> = new Set()
  readonly refused: Map<string, Error> = new Map()
  readonly open: Set<string>
  readonly #kind: Kind

  constructor(kind: Kind, channels: readonly string[]) {
    this.#kind = kind
    this.open = new Set(channels)
  }

  /** `false` when none of it is about this request. */
  take(said: readonly ChannelAnswer[], id: number): boolean {
    const isMine = said.map((one) => this.#isMine(one, id))
    for (const [i, one] of said.entries()) if (isMine[i] === true) this.settle(one)
    return isMine.includes(true)
  }

  /** Applies to the channels that it names, or to all that are open. */
  settle({ channels, current, error }: Omit<ChannelAnswer, 'id'>): this {
    if (current !== undefined) return this.#compare(new Set(current))
    for (const channel of channels ?? this.open) {
      if (!this.open.delete(channel)) continue
      if (error === undefined) this.granted.add(channel)
      else this.refused.set(channel, refusal(error))
    }
    return this
  }

  #compare(current: ReadonlySet<string>): this {
    for (const channel of this.open) {
      this.open.delete(channel)
      const isGranted = current.has(channel) === (this.#kind === 'subscribe')
      if (isGranted) this.granted.add(channel)
      else this.refused.set(channel, new RejectedError('The server goes on without it'))
    }
    return this
  }

  #isMine({ id, channels }: ChannelAnswer, asked: number): boolean {
    if (id !== undefined) return String(id) === String(asked)
    return channels === undefined || channels.some((channel) => this.open.has(channel))
  }
}

function lossOf(link: ProtocolLink, error: unknown): unknown {
  return link.signal.aborted ? link.signal.reason : error
}

/** What the server said, or what a function of the dialect threw. */
export function refusal(error: unknown): Error {
  if (error instanceof RejectedError) return error
  if (typeof error === 'string') return new RejectedError(error)
  // Another error of ours that means the same: that of an answered request.
  if (error instanceof BusError && error.outcome === 'rejected') {
    return new RejectedError(error.message, { cause: error })
  }
  return error instanceof Error ? error : new Error(String(error))
}

/** Whether an answer says what it is about. */
function isAttributed({ id, channels }: ChannelAnswer): boolean {
  return id !== undefined || channels !== undefined
}

/** `Array.isArray` does not narrow lists that are read-only. */
function isList(said: ChannelAnswer | readonly ChannelAnswer[]): said is readonly ChannelAnswer[] {
  return Array.isArray(said)
}
