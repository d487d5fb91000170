/** Runs a row: does its steps, waits until everything was said, and tells what came of it. */
import { frame, OPCODE, text } from '../raw/frame.ts'
import { RawPeer } from '../raw/raw-peer.ts'
import { CANARY } from './build.ts'
import type { Fence, Heard, Row } from './row.ts'

/** What came of a row. */
export interface Outcome {
  /** As in `want` of the row. */
  readonly got: string
  /** Something secret came back. */
  readonly showsSecret: boolean
}

/** No other client has this subscription. */
const FENCE_ID = String(Number.MAX_SAFE_INTEGER)
const FENCE_LINE = text(`sub ${FENCE_ID} fence.fence amo\nunsub ${FENCE_ID}`)
const FENCE_PING = frame({ opcode: OPCODE.ping, payload: 'fence' })

const isFence = (entry: string): boolean =>
  entry === 'pong fence' || (entry.startsWith('sub') && entry.split(' ', 2)[1] === FENCE_ID)

/** The connections of one row. */
class Play implements Disposable {
  readonly #port: number
  readonly #peers: RawPeer[] = []
  #heard: Heard = { sid: '', offset: 0 }
  /** Where the outcome begins in the transcript of the last peer. */
  #mark = 0

  constructor(port: number) {
    this.#port = port
  }

  async dial(): Promise<void> {
    this.#peers.push(await RawPeer.dial(this.#port))
    this.#mark = 0
  }

  get #peer(): RawPeer {
    const peer = this.#peers.at(-1)
    if (peer === undefined) throw new Error('Nobody was dialed')
    return peer
  }

  async run(row: Row): Promise<void> {
    await this.dial()
    for (const step of row.steps) {
      if ('dial' in step) await this.dial()
      else if ('hear' in step) await this.#hear(step.hear)
      else this.#peer.write(typeof step.say === 'function' ? step.say(this.#heard) : step.say)
    }
    await this.#settle(row.fence)
  }

  outcome(fence: Fence): Outcome {
    const entries = this.#peer.transcript.slice(this.#mark).filter((entry) => !isFence(entry))
    const isLast = (entry: string): boolean => fence === 'answer' || entry.startsWith('close ')
    const last = entries.findIndex(isLast)
    const said = last === -1 ? entries : entries.slice(0, last + 1)
    const received = Buffer.concat(this.#peers.flatMap(({ chunks }) => chunks))
    return {
      got: said.map(briefly).filter(Boolean).join(' | '),
      showsSecret: received.includes(CANARY),
    }
  }

  [Symbol.dispose](): void {
    for (const peer of this.#peers) peer[Symbol.dispose]()
  }

  async #hear(start: string): Promise<void> {
    await this.#peer.until((entry) => entry.startsWith(start), this.#mark)
    for (const entry of this.#peer.transcript.slice(this.#mark)) this.#learn(entry)
    this.#mark = this.#peer.transcript.length
  }

  #learn(entry: string): void {
    const [verb, rest = ''] = entry.split(/ (.*)/s, 2)
    if (verb === 'welcome') {
      this.#heard = { ...this.#heard, sid: (JSON.parse(rest) as { sid: string }).sid }
    } else if (verb === 'ev') this.#heard = { ...this.#heard, offset: Number.parseInt(rest, 10) }
  }

  async #settle(fence: Fence): Promise<void> {
    if (fence === 'line') this.#peer.write(FENCE_LINE)
    if (fence === 'pong') this.#peer.write(FENCE_PING)
    const isIt = { line: isFence, pong: isFence, answer: () => true, over: () => false }[fence]
    await this.#peer.until(isIt, this.#mark)
  }
}

/** An entry without what depends on the rows before it. */
function briefly(entry: string): string {
  const [verb = '', first = ''] = entry.split(' ', 2)
  switch (verb) {
    case 'welcome':
      return brieflyWelcome(JSON.parse(entry.slice('welcome '.length)) as Welcome)
    case 'subok':
      return `subok ${first}`
    case 'ev':
      return 'ev'
    case 'mark':
      return ''
    default:
      return entry
  }
}

/** What is looked at in a welcome. */
interface Welcome {
  readonly resumed: boolean
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
}

function brieflyWelcome({ resumed, gaps }: Welcome): string {
  const isReadable = gaps.every(
    ({ from, to }) => Number.isSafeInteger(from) && Number.isSafeInteger(to),
  )
  return `welcome ${resumed ? 'resumed' : 'new'}${isReadable ? '' : ' with a gap that nobody can read'}`
}

/** Runs it against the hub at this port. Its connections are gone when it resolves, as far as this side is concerned. */
export async function runRow(row: Row, port: number): Promise<Outcome> {
  using play = new Play(port)
  await play.run(row)
  return play.outcome(row.fence)
}
