/** A server that speaks JSON-RPC literally, and answers when the test says so. */
import { serve, transportTo, until } from '@bus/test-support/websocket'
import type { MockConnection, MockMessage, MockServer, MockServerOptions } from '@bus/testing'
import type { WebSocketTransport, WebSocketTransportOptions } from '@bus/websocket'
import { jsonRpcProtocol, type JsonRpcOptions, type JsonRpcProtocol } from '../src/index.ts'
import { onTestFinished } from 'vitest'

/** A request as it came. */
export interface Asked {
  readonly id: string | number
  readonly method: string
  readonly params: unknown
  readonly connection: MockConnection
}

/** What a method answers; what it throws is the answer's error. */
export type Method = (params: unknown) => unknown

/** Answers the methods that it knows at once, and keeps the other requests for the test. */
export class RpcServer {
  readonly mock: MockServer
  readonly asked: Asked[] = []
  readonly #methods: Readonly<Record<string, Method>>

  constructor(mock: MockServer, methods: Readonly<Record<string, Method>>) {
    this.mock = mock
    this.#methods = methods
  }

  get url(): string {
    return this.mock.url
  }

  /** Resolves with the nth request of this method, from 1. */
  async waitFor(method: string, nth: number = 1): Promise<Asked> {
    const all = (): Asked[] => this.asked.filter((asked) => asked.method === method)
    await until(() => all().length >= nth, `${nth} requests for ${method}`)
    return all()[nth - 1] as Asked
  }

  answer({ id, connection }: Asked, result: unknown): void {
    connection.send({ jsonrpc: '2.0', id, result })
  }

  fail({ id, connection }: Asked, error: object): void {
    connection.send({ jsonrpc: '2.0', id, error })
  }

  /** A notification to everybody. */
  tell(method: string, params: unknown): void {
    this.mock.inject({ jsonrpc: '2.0', method, params })
  }

  take(message: MockMessage, connection: MockConnection): void {
    const { id, method, params } = message.json as Partial<Asked>
    if (id === undefined || method === undefined) return
    const asked = { id, method, params, connection }
    this.asked.push(asked)
    const run = this.#methods[method]
    if (run === undefined) return
    try {
      this.answer(asked, run(params))
    } catch (error) {
      this.fail(asked, error as object)
    }
  }
}

/** A server that ends with the test. */
export async function serveRpc(
  methods: Readonly<Record<string, Method>> = {},
  options: MockServerOptions = {},
): Promise<RpcServer> {
  const server: RpcServer = new RpcServer(
    await serve({ ...options, handler: (message, connection) => server.take(message, connection) }),
    methods,
  )
  return server
}

/** A transport that speaks JSON-RPC with the server, and is connected. */
export async function rpcTo(
  server: { readonly url: string },
  options: JsonRpcOptions = {},
  transportOptions: Omit<WebSocketTransportOptions, 'url' | 'protocol'> = {},
): Promise<{ readonly rpc: JsonRpcProtocol; readonly transport: WebSocketTransport }> {
  const rpc = jsonRpcProtocol(options)
  const transport = transportTo(server, { ...transportOptions, protocol: rpc })
  await transport.connect()
  onTestFinished(async () => {
    await transport.close()
    if (rpc.pending > 0) throw new Error(`${rpc.pending} requests are still pending`)
  })
  return { rpc, transport }
}
