/** node-redis through redis-server: PUBLISH and SUBSCRIBE. */
import { createClient } from '@redis/client'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import { RawConnection } from '../wire/raw-connection.ts'
import type { Contender } from './contender.ts'
import { freePort, startProgram } from './native-server.ts'

/** Replies that may be outstanding, as the library has no notion of being full; it goes on at half of them. */
const MAX_IN_FLIGHT = 4_096

/** Redis publish and subscribe. */
export const redisPubSub: Contender = Object.freeze({
  name: 'redis',
  async startBroker() {
    const port = await freePort()
    const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '']
    const limits = ['--appendonly', 'no', '--client-output-buffer-limit', 'pubsub 0 0 0']
    const { pid } = await startProgram('redis-server', [...args, ...limits], 'Ready to accept')
    return { url: `redis://127.0.0.1:${port}`, pid }
  },
  async connectPublisher(url, { subject }) {
    const client = await open(url)
    let inFlight = 0
    let makeRoom: (() => void) | undefined
    const answered = (): void => {
      if (--inFlight <= MAX_IN_FLIGHT / 2) makeRoom?.()
    }
    return {
      kind: 'emits',
      emit: (message) => {
        inFlight++
        void client.publish(subject, toJson(message)).then(answered)
        return inFlight < MAX_IN_FLIGHT
      },
      ready: async () => {
        await new Promise<void>((resolve) => {
          makeRoom = resolve
        })
        makeRoom = undefined
      },
      close: () => client.destroy(),
    }
  },
  async connectSubscriber(url, { subject }, onEvent) {
    const client = await open(url)
    await client.subscribe(subject, (text) => receiveJson(text, onEvent))
    return { close: () => client.destroy() }
  },
  async subscribeRaw(url) {
    const connection = await RawConnection.open(url)
    const live = connection.expect('subscribe')
    connection.send('SUBSCRIBE order.created\r\n')
    await live
    return { connection }
  },
} satisfies Contender)

// The library's own type of a client without modules is its inferred one.
async function open(url: string) {
  const client = createClient({
    url,
    socket: { reconnectStrategy: false },
    // The default makes a timer and an AbortSignal for each command, and would halve the figure.
    commandOptions: { timeout: 0 },
  })
  client.on('error', (error: Error) => {
    throw error
  })
  await client.connect()
  return client
}
