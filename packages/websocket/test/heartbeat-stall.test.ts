import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { HeartbeatTimeoutError } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { Heartbeat } from '../src/socket/heartbeat.ts'

/** Keeps the thread busy, so that no timer fires and no byte is read. */
function stall(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

async function connect(): Promise<WebSocket> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket) => socket.on('error', () => {}))
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  onTestFinished(() => {
    client.terminate()
    server.close()
  })
  await once(client, 'open')
  return client
}

it('gives no false verdict when the event loop stalls for longer than the timeout, twenty times [F5]', async () => {
  const client = await connect()
  const lost: HeartbeatTimeoutError[] = []
  let pongs = 0
  let inboundAt = -Infinity
  let pinged: (() => void) | undefined
  const heartbeat = new Heartbeat(
    {
      ping: (payload) => {
        client.ping(payload)
        pinged?.()
      },
      inboundAt: () => inboundAt,
      lost: (error) => {
        lost.push(error)
        pinged?.()
      },
    },
    { intervalMs: 61, timeoutMs: 60, maxMissed: 1, idleTimeoutMs: 200 },
    { clock: systemClock, random: Math.random },
  )
  client.on('pong', (payload) => {
    pongs += 1
    inboundAt = systemClock.now()
    heartbeat.pong(payload.toString())
  })
  onTestFinished(() => heartbeat.stop())
  heartbeat.start()
  for (let i = 0; i < 20 && lost.length === 0; i++) {
    await new Promise<void>((resolve) => {
      pinged = resolve
    })
    // The ping is on its way: the pong will lie in the socket while its deadline passes.
    stall(120)
  }
  expect(lost).toEqual([])
  expect(pongs).toBeGreaterThan(0)
})

it('notices a server that stopped answering, in bounded time', async () => {
  const client = await connect()
  client.pause()
  const lost = new Promise<HeartbeatTimeoutError>((resolve) => {
    const heartbeat = new Heartbeat(
      { ping: (payload) => client.ping(payload), inboundAt: () => -Infinity, lost: resolve },
      { intervalMs: 40, timeoutMs: 40, maxMissed: 2 },
      { clock: systemClock, random: Math.random },
    )
    heartbeat.start()
    onTestFinished(() => heartbeat.stop())
  })
  await expect(lost).resolves.toMatchObject({ code: 'heartbeat-timeout' })
})
