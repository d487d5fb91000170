/** Starts `nats-server` on a port that the system chooses. */
import type { Broker } from './contender.ts'
import { startProgram } from './native-server.ts'

const LISTENING = /Listening for client connections on 127\.0\.0\.1:(\d+)/

/** @param args further arguments, for instance `-js` */
export async function startNatsServer(...args: readonly string[]): Promise<Broker> {
  const listen = ['-a', '127.0.0.1', '-p', '-1']
  const { pid, output } = await startProgram('nats-server', [...listen, ...args], 'Server is ready')
  const port = LISTENING.exec(output)?.[1]
  if (port === undefined) throw new Error(`nats-server does not say where it listens: ${output}`)
  return { url: `nats://127.0.0.1:${port}`, pid }
}
