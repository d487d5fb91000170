import { createEvent } from '@bus/core'
import { busV1, type HeartbeatProfile } from '../src/index.ts'
import { collect, frameOf, only, record, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { describe, expect, test } from 'vitest'

describe('heartbeats of the application', () => {
  test('start when the link is ready, and end with it', async () => {
    const server = await serve()
    let release: (frames: string[]) => void = () => {}
    const transport = transportTo(server, {
      applicationHeartbeat: { name: 'ticking', intervalMs: 5, onTick: () => 'tick' },
      onOpen: () => new Promise((resolve) => (release = resolve)),
    })
    const connecting = transport.connect()
    await until(() => transport.status.state === 'bootstrapping', 'bootstrapping')
    release(['hello'])
    await connecting
    await until(() => server.received.length >= 2, 'a tick')
    expect(server.received.map((m) => m.data).slice(0, 2)).toEqual(['hello', 'tick'])
    await transport.close()
  })

  test('that throw are reported, and the link and its events live on', async () => {
    const server = await serve()
    const profile: HeartbeatProfile = {
      name: 'broken',
      intervalMs: 5,
      onTick: () => {
        throw new Error('tick')
      },
      onFrame: () => {
        throw new Error('frame')
      },
    }
    const transport = transportTo(server, { applicationHeartbeat: profile })
    const notices = record(transport)
    const all = await collect(transport)
    server.inject(frameOf('a', 1))
    await until(() => all.events.length === 1, 'the event arrives')
    await until(() => only(notices, 'error').length >= 2, 'both are reported')
    const messages = only(notices, 'error').map(({ kind, error }) => `${kind} ${error.message}`)
    expect(new Set(messages)).toEqual(new Set(['listener frame', 'listener tick']))
    expect(server.connections).toHaveLength(1)
  })
})

test.each([
  ['no object', 7, 'applicationHeartbeat'],
  ['no name', {}, 'applicationHeartbeat.name'],
  ['an interval of nothing', { name: 'x', intervalMs: 0 }, 'applicationHeartbeat.intervalMs'],
  ['a tick that is no function', { name: 'x', onTick: 1 }, 'applicationHeartbeat.onTick'],
  ['an onFrame that is no function', { name: 'x', onFrame: 1 }, 'applicationHeartbeat.onFrame'],
])('a profile with %s is refused', (_what, profile, path) => {
  const make = (): unknown =>
    transportTo({ url: 'ws://h/' }, { applicationHeartbeat: profile as HeartbeatProfile })
  expect(make).toThrow(expect.objectContaining({ code: 'config', path }) as Error)
})

test('a heartbeat of the application is not sent to a hub that speaks bus.v1, which would end the link', async () => {
  const hub = await startHub()
  let ticks = 0
  const onTick = (): string => `tick ${++ticks}`
  const transport = transportTo(hub, {
    protocol: busV1(),
    applicationHeartbeat: { name: 'ticking', intervalMs: 1, onTick },
  })
  await transport.connect()
  const { since } = transport.status
  await until(() => performance.now() - since > 30, 'many ticks could have passed')
  await expect(transport.publish(createEvent('a', 1))).resolves.toMatchObject({
    status: 'confirmed',
  })
  expect(ticks).toBe(0)
  expect(transport.status).toMatchObject({ state: 'ready', generation: 1 })
})
