/** A hub and plain clients of it, which end with the test. */
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { WebSocket, type ClientOptions } from 'ws'
import { createHub, type Hub, type HubOptions } from '../src/hub/index.ts'

/** A hub that ends with the test. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const hub = await createHub({ allowAnonymous: true, closeMs: 200, ...options })
  onTestFinished(() => hub.close())
  return hub
}

/** A bare client that keeps what it gets. */
export class HubClient {
  readonly ws: WebSocket
  readonly frames: (string | Buffer)[] = []
  /** Resolves with the close code and the reason. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('error', () => {})
    ws.on('message', (data, isBinary) => {
      this.frames.push(isBinary ? (data as Buffer) : (data as Buffer).toString())
    })
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    onTestFinished(() => ws.terminate())
  }

  send(data: string | Uint8Array): void {
    this.ws.send(data)
  }
}

/** Connects a bare client. */
export async function join(
  hub: { readonly url: string },
  options: ClientOptions = {},
): Promise<HubClient> {
  const client = new HubClient(new WebSocket(hub.url, { perMessageDeflate: false, ...options }))
  await once(client.ws, 'open')
  return client
}

/** Connects a bare client that reads nothing. */
export async function joinFrozen(hub: { readonly url: string }): Promise<HubClient> {
  const client = await join(hub)
  client.ws.pause()
  return client
}
