/** A server that wants to know who its clients are, by messages, before it answers anything else. */
import { ChannelServer, serve } from '@bus/test-support/websocket'
import type { MockConnection, MockMessage } from '@bus/testing'

/** What a client said of itself. */
export interface Shown {
  readonly type: 'auth'
  readonly timestamp: number
  readonly token?: string
  readonly api_key?: string
  readonly signature?: string
}

/** Channels as in the dialect of the other tests, for those who were let in. */
export class AuthServer {
  readonly channels: ChannelServer
  /** What was shown, over all connections. */
  readonly shown: Shown[] = []
  /** Connections that were let in. */
  readonly known = new Set<MockConnection>()
  readonly #answer: (shown: Shown, server: AuthServer) => object | undefined

  constructor(
    channels: ChannelServer,
    answer: (shown: Shown, server: AuthServer) => object | undefined,
  ) {
    this.channels = channels
    this.#answer = answer
  }

  get url(): string {
    return this.channels.url
  }

  /** What came, over all connections, in order; after a client that is not known, `unknown`. */
  get log(): string[] {
    return this.channels.log
  }

  take(message: MockMessage, connection: MockConnection): void {
    const shown = JSON.parse(String(message.data)) as Partial<Shown>
    if (shown.type !== 'auth') {
      if (!this.known.has(connection)) this.log.push('unknown')
      this.channels.take(message, connection)
      return
    }
    this.shown.push(shown as Shown)
    this.log.push(`auth ${shown.token ?? shown.api_key ?? ''}`)
    const answer = this.#answer(shown as Shown, this)
    if (answer === undefined) return
    if ((answer as { type?: string }).type === 'auth_success') this.known.add(connection)
    connection.send(answer)
  }
}

/** A server that answers as the function says and ends with the test. */
export async function serveAuth(
  answer: (shown: Shown, server: AuthServer) => object | undefined,
): Promise<AuthServer> {
  const mock = await serve({
    handler: (message, connection) => server.take(message, connection),
  })
  const server: AuthServer = new AuthServer(new ChannelServer(mock), answer)
  return server
}
