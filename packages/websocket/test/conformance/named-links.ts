/** The links through a chaos proxy, by the path that each asks for: so a fault can concern one transport only. */
import type { ChaosLink, ChaosProxyOptions } from '@bus/testing/chaos'
import { RequestPath } from './request-path.ts'

/** Give its {@link watch} to the proxy. */
export class NamedLinks {
  readonly #paths = new WeakMap<ChaosLink, RequestPath>()
  readonly #open = new Map<ChaosLink, string>()

  readonly watch: Pick<ChaosProxyOptions, 'onBytes' | 'onLinkOver'> = {
    onBytes: (link, bytes, direction) => {
      if (direction !== 'upstream' || this.#open.has(link)) return
      const path = this.#paths.get(link) ?? new RequestPath()
      this.#paths.set(link, path)
      const asked = path.push(bytes)
      if (asked !== undefined) this.#open.set(link, asked)
    },
    onLinkOver: (link) => void this.#open.delete(link),
  }

  /** The open links that ask for one of these paths. */
  of(paths: ReadonlySet<string>): ChaosLink[] {
    return [...this.#open].flatMap(([link, path]) => (paths.has(path) ? [link] : []))
  }
}
