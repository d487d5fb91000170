/** A link cutter: a TCP relay between a client and the hub that can cut its links like a pulled cable. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A running relay. */
export interface LinkCutter {
  /** Connect here instead of to the hub. */
  readonly port: number
  /** Resets every link in mid-stream; what is on the way is lost. Returns how many there were. */
  cut(): number
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/** Starts a relay to `targetPort` on a port that the system chooses. */
export async function startLinkCutter(targetPort: number): Promise<LinkCutter> {
  const links = new Set<Link>()
  // Half open: an end is passed on by the pipe, not answered at once.
  const allowHalfOpen = true
  const server = createServer({ allowHalfOpen }, (client) => {
    const hub = connect({ port: targetPort, host: HOST, allowHalfOpen })
    const link = new Link(client, hub, () => links.delete(link))
    links.add(link)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, HOST, resolve)
  })
  const cut = (): number => {
    const { size } = links
    for (const link of links) link.cut()
    return size
  }
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      cut()
    })
  return { port: (server.address() as AddressInfo).port, cut, close }
}

/** Two sockets tied together. */
class Link {
  readonly #ends: readonly [Socket, Socket]

  constructor(client: Socket, hub: Socket, onEnd: () => void) {
    this.#ends = [client, hub]
    client.pipe(hub).pipe(client)
    let open = this.#ends.length
    for (const end of this.#ends) {
      // `close` follows, and is handled there.
      end.on('error', () => {})
      end.on('close', (hadError) => {
        open--
        if (open === 0) onEnd()
        // A clean end was passed on by the pipe, behind what is still to be written.
        else if (hadError || !end.readableEnded) this.cut()
      })
    }
  }

  cut(): void {
    for (const end of this.#ends) end.resetAndDestroy()
  }
}
