/** A client and its server with a chaos proxy between them. */
import {
  startChaosProxy,
  type ChaosLink,
  type ChaosProxy,
  type ChaosProxyOptions,
} from '../src/chaos/index.ts'
import { dial, TcpServer, type End } from './tcp-ends.ts'

/** Ends with its test. */
export class ChaosWorld implements AsyncDisposable {
  readonly server: TcpServer
  readonly proxy: ChaosProxy
  readonly client: End
  /** The server's end of the client's link. */
  readonly far: End
  readonly link: ChaosLink

  private constructor(server: TcpServer, proxy: ChaosProxy, client: End, far: End) {
    const [link] = proxy.links
    if (link === undefined) throw new Error('There is no link')
    this.server = server
    this.proxy = proxy
    this.client = client
    this.far = far
    this.link = link
  }

  static async start(options: Partial<ChaosProxyOptions> = {}): Promise<ChaosWorld> {
    const server = await TcpServer.start()
    const proxy = await startChaosProxy({ ...options, targetPort: server.port })
    const client = await dial(proxy.port)
    return new ChaosWorld(server, proxy, client, await server.end(0))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.socket.destroy()
    await this.proxy.close()
    await this.server[Symbol.asyncDispose]()
  }
}
