/** A TCP relay in front of the hub that knows whose link each is, and edits the frames that the hub sends on it. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Dialect } from './dialect.ts'
import { FrameEditor, type FrameEdits } from './frame-edits.ts'
import { RequestPath } from './request-path.ts'

export interface EditingRelay extends AsyncDisposable {
  readonly port: number
}

/** @param editsOf - those of the transport whose links ask for this path */
export async function startEditingRelay(
  targetPort: number,
  dialect: Dialect,
  editsOf: (path: string) => FrameEdits,
): Promise<EditingRelay> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const hub = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
    for (const [socket, other] of [
      [client, hub],
      [hub, client],
    ] as const) {
      open.add(socket)
      socket.setNoDelay(true)
      // `close` follows.
      socket.on('error', () => {})
      socket.once('close', (hadError) => {
        open.delete(socket)
        // A reset would wait for what is still to be written, and leak when it is cut short.
        if (hadError || !socket.readableEnded) other.destroy()
      })
    }
    const path = new RequestPath()
    const meet = (chunk: Buffer): void => {
      const asked = path.push(chunk)
      if (asked === undefined) return
      client.off('data', meet)
      hub.pipe(new FrameEditor(editsOf(asked), dialect)).pipe(client)
    }
    client.on('data', meet)
    client.pipe(hub)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
