import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createBus } from '@bus/core'
import { webSocketTransport } from '@bus/websocket'
import { expect, onTestFinished, test } from 'vitest'

/** The example as a process of its own, which ends with the test. Resolves when it says where its events are. */
async function start(
  name: string,
): Promise<{ readonly server: ChildProcess; readonly url: string }> {
  const main = fileURLToPath(new URL(`../dist/${name}.js`, import.meta.url))
  if (!existsSync(main)) throw new Error('The example is not built: run `npm run build`')
  const server = spawn(process.execPath, [main], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => {
    server.kill('SIGKILL')
  })
  for await (const line of createInterface(server.stdout)) {
    const url = /^events at (\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { server, url }
  }
  throw new Error(`The example ${name} ended before it listened`)
}

test.each(['node-http', 'express', 'fastify'])(
  'a hub in a server of %s carries events, leaves its routes alone and ends with it',
  async (name) => {
    const { server, url } = await start(name)
    const routes = await fetch(url.replace(/^ws(.*)\/events$/, 'http$1/'))
    expect(await routes.text()).toBe('routes as before\n')

    await using subscriber = createBus({ transport: webSocketTransport({ url }) })
    await using publisher = createBus({ transport: webSocketTransport({ url }) })
    const received: unknown[] = []
    await subscriber.subscribe('order.*', (event) => {
      received.push(event.payload)
    })
    await expect(publisher.publish('order.created', { id: 'A-1' })).resolves.toMatchObject({
      status: 'confirmed',
    })
    await expect.poll(() => received).toEqual([{ id: 'A-1' }])

    const exit = once(server, 'exit')
    await Promise.all([subscriber.close(), publisher.close()])
    server.kill('SIGTERM')
    await expect(exit).resolves.toEqual([0, null])
  },
)
