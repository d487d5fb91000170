import { channel, tracingChannel } from 'node:diagnostics_channel'
import { expect, onTestFinished, test } from 'vitest'
import { serve, transportTo, until } from './harness.ts'

function listen(name: string): unknown[] {
  const heard: unknown[] = []
  const listener = (message: unknown): void => {
    heard.push(message)
  }
  channel(name).subscribe(listener)
  onTestFinished(() => {
    channel(name).unsubscribe(listener)
  })
  return heard
}

test('dialing, changes of status, waits before an attempt and the breaker are published on their channels', async () => {
  const statuses = listen('bus.status')
  const reconnects = listen('bus.reconnect')
  const breakers = listen('bus.breaker')
  const dials = listen(tracingChannel('bus.connect').start.name as string)
  const server = await serve()
  server.faults.refuse(503, { times: 2 })
  const transport = transportTo(server, {
    breaker: { failureThreshold: 2, openMs: 20, successThreshold: 1 },
  })
  await transport.connect({ retry: true })
  await until(() => breakers.length === 3, 'the breaker closes again')
  expect(dials).toMatchObject([
    { transport: 'websocket', attempt: 1 },
    { transport: 'websocket', attempt: 2 },
    { transport: 'websocket', attempt: 3 },
  ])
  expect(breakers).toMatchObject([{ state: 'open' }, { state: 'half-open' }, { state: 'closed' }])
  expect(reconnects).toMatchObject([
    { transport: 'websocket', attempt: 1, cause: { code: 'handshake' } },
    { attempt: 2 },
  ])
  expect(statuses.at(-1)).toMatchObject({ transport: 'websocket', status: { state: 'ready' } })
})
