/** A probe: a client as an application has it, which must be served whatever else a hub is made to bear. */
import { createBus, type Bus } from '@bus/core'
import { busV1, webSocketTransport } from '@bus/websocket'

/** Milliseconds until the probe counts as not served. */
const DEADLINE_MS = 10_000

export interface ProbeOptions {
  readonly url: string
  /** @default none */
  readonly token?: string
  /** The host that it asks for. @default that of the URL */
  readonly host?: string
}

/** Publishes in one connection, and gets it in another. Both are its own, and stay. */
export class Probe implements AsyncDisposable {
  readonly #publisher: Bus
  readonly #subscriber: Bus
  readonly #arrived = new Map<number, () => void>()
  #sent = 0
  /** How often it was served. */
  served = 0
  /** Why it was not. */
  readonly failures: string[] = []

  private constructor({ url, token, host }: ProbeOptions) {
    const protocol = busV1(token === undefined ? {} : { token })
    const headers = host === undefined ? {} : { host }
    const client = (): Bus =>
      createBus({ transport: webSocketTransport({ url, protocol, headers }), deadLetters: false })
    this.#publisher = client()
    this.#subscriber = client()
  }

  /** @throws what keeps its clients from connecting */
  static async start(options: ProbeOptions): Promise<Probe> {
    const probe = new Probe(options)
    try {
      await probe.#subscriber.subscribe('probe.served', ({ payload }) => {
        probe.#arrived.get(payload as number)?.()
      })
      return probe
    } catch (error) {
      await probe[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Publishes, waits for the confirmation and for the event. */
  async serve(): Promise<void> {
    const n = ++this.#sent
    const arrived = new Promise<void>((resolve) => this.#arrived.set(n, resolve))
    try {
      const { status } = await this.#publisher.publish('probe.served', n, {
        timeoutMs: DEADLINE_MS,
      })
      if (status !== 'confirmed') throw new Error(`It is ${status} only`)
      await within(arrived)
      this.served++
    } catch (error) {
      this.failures.push(String(error))
    } finally {
      this.#arrived.delete(n)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#publisher.close(), this.#subscriber.close()])
  }
}

async function within(arrived: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It did not arrive')), DEADLINE_MS)
  })
  try {
    await Promise.race([arrived, late])
  } finally {
    clearTimeout(timer)
  }
}
