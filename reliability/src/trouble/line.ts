/** A line: the way of one client to the hub, through a chaos proxy of its own that counts what it breaks. */
import {
  startChaosProxy,
  type ChaosLink,
  type ChaosProxy,
  type CutOptions,
  type LinkDirection,
} from '@bus/testing/chaos'
import { FrameBoundary } from './frame-boundary.ts'

/** How links were torn. */
export interface Tears {
  readonly reset: number
  readonly end: number
  readonly cut: number
  /** Of the cuts: those after which a frame was incomplete. */
  readonly midFrame: number
}

type Frames = WeakMap<ChaosLink, Readonly<Record<LinkDirection, FrameBoundary>>>

/** Ends with its run. */
export class Line implements AsyncDisposable {
  /** What the client mostly does: the direction in which there is something to cut. */
  readonly busy: LinkDirection
  readonly #proxy: ChaosProxy
  readonly #frames: Frames
  #midFrame = 0
  /** Where a cut is due. */
  #armed: { readonly link: ChaosLink; readonly direction: LinkDirection } | undefined

  private constructor(busy: LinkDirection, proxy: ChaosProxy, frames: Frames) {
    this.busy = busy
    this.#proxy = proxy
    this.#frames = frames
  }

  static async start(targetPort: number, seed: number, busy: LinkDirection): Promise<Line> {
    const frames: Frames = new WeakMap()
    const proxy = await startChaosProxy({
      targetPort,
      seed,
      onBytes: (link, bytes, direction) => {
        let both = frames.get(link)
        if (both === undefined) {
          both = { upstream: new FrameBoundary(), downstream: new FrameBoundary() }
          frames.set(link, both)
        }
        both[direction].take(bytes)
      },
      onLinkOver: (link) => line.#over(link),
    })
    const line = new Line(busy, proxy, frames)
    return line
  }

  /** Where the client connects. */
  get url(): string {
    return `ws://127.0.0.1:${this.#proxy.port}`
  }

  get tears(): Tears {
    return { ...this.#proxy.stats().broken, midFrame: this.#midFrame }
  }

  /** The link that can be broken now: upgraded, and not about to be cut. */
  get #link(): ChaosLink | undefined {
    if (this.#armed !== undefined) return undefined
    return this.#proxy.links.find((link) => this.#frames.get(link)?.downstream.isOpen)
  }

  /** Whether there is something to break. */
  get isUp(): boolean {
    return this.#link !== undefined
  }

  tear(how: 'reset' | 'end'): void {
    this.#link?.[how]()
  }

  cutAfter(bytes: number, { direction = 'downstream', how }: CutOptions): void {
    const link = this.#link
    if (link === undefined) return
    this.#armed = { link, direction }
    link.cutAfter(bytes, { direction, how })
  }

  /** A cut that is due does not come, because nothing passes: the link is reset. */
  giveUpCut(): void {
    this.#armed?.link.reset()
  }

  /** Disturbs without breaking. */
  get network(): Pick<ChaosProxy, 'setConditions' | 'hole'> {
    return this.#proxy
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy.close()
  }

  #over(link: ChaosLink): void {
    const armed = this.#armed
    if (armed?.link !== link) return
    this.#armed = undefined
    const frames = this.#frames.get(link)
    if (link.fault === 'cut' && frames?.[armed.direction].isMidFrame === true) this.#midFrame++
  }
}
