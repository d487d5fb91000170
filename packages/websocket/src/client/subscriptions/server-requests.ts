/** What is asked of the server about subscriptions: one request after the other, so that their order is that of the calls. */
import { DisconnectedError, withDeadline, type Clock } from '@bus/core'
import PQueue from 'p-queue'
import type { ProtocolLink } from '../../protocol/protocol.ts'

/** What subscriptions need of a link. */
export interface SubscriptionLink extends ProtocolLink {
  /** The link as one request sees it: its waits end with the signal. */
  scoped(signal: AbortSignal): ProtocolLink
}

export interface ServerRequestPorts {
  readonly clock: Clock
  /** Milliseconds that the server gets to answer a request. */
  readonly timeoutMs: number
  /** The link that is ready. */
  readonly link: () => SubscriptionLink | undefined
  /** A request failed that nobody waits for. */
  failed(error: Error): void
}

/** Lives as long as the transport. */
export class ServerRequests {
  readonly #ports: ServerRequestPorts
  readonly #queue = new PQueue({ concurrency: 1 })

  constructor(ports: ServerRequestPorts) {
    this.#ports = ports
  }

  /** Runs on the link that is ready at its turn; without one it has nothing to do. */
  async enqueue(request: (link: SubscriptionLink) => Promise<void>): Promise<void> {
    await this.#queue.add(async () => {
      const link = this.#ports.link()
      try {
        if (link !== undefined) await request(link)
      } catch (error) {
        if (link === undefined || !isLoss(link, error)) this.#ports.failed(error as Error)
      }
    })
  }

  /** One that is never answered would hold up all that come after it. */
  within(
    link: SubscriptionLink,
    what: string,
    run: (scope: ProtocolLink) => Promise<void>,
  ): Promise<void> {
    const { timeoutMs, clock } = this.#ports
    const limits = { timeoutMs, clock, what, signal: link.signal }
    return withDeadline((signal) => run(link.scoped(signal)), limits)
  }
}

/** Whether the request failed because its link did, which may be noticed by the write before the close. */
export function isLoss(link: SubscriptionLink, error: unknown): boolean {
  return link.signal.aborted || error instanceof DisconnectedError
}
