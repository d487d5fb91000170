import { execFile } from 'node:child_process'
import { expect, onTestFinished, test } from 'vitest'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, sub } from './wire-client.ts'

test('what a subscriber handled and did not acknowledge before its link ended comes again, with the same id and source [F81]', async () => {
  const hub = await startHub()
  const first = await greet(hub, { subs: [sub(1, '>')] })
  const { sid, epoch } = first.welcome
  const publisher = await greet(hub)
  const body = '{"payload":1,"metadata":{"timestamp":1,"source":"shop"}}'
  publisher.say(`pub 1 a id-1 ${body}`)
  await first.events(1)
  first.ws.terminate()
  const second = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, '>')] })
  await second.events(1)
  expect(second.heard('ev')).toEqual([`1 a id-1 ${body}`])
  expect(second.heard('ev')).toEqual(first.heard('ev'))
})

test('a subscriber process that is killed in its handler has acknowledged nothing of it: publishers do not learn that it was handled until it is given up [F81]', async () => {
  const hub = await startHub({ confirm: 'subscribers', graceMs: 0, sessionTtlMs: 1_500 })
  const script = `
    import { createBus } from '@bus/core'
    import { webSocketTransport } from '@bus/websocket'
    const bus = createBus({ transport: webSocketTransport({ url: '${hub.url}' }) })
    await bus.subscribe('order.*', async () => {
      process.stdout.write('handling')
      await new Promise(() => {})
    })`
  const child = execFile(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (text) => (output += String(text)))
  await until(() => hub.stats().busV1.subscriptions === 1, 'it subscribes')
  const publisher = await greet(hub)
  publisher.say(pub(1, 1))
  await until(() => output === 'handling', 'its handler runs')
  child.kill('SIGKILL')
  await until(() => hub.stats().connections === 1, 'it is gone')
  await publisher.settled()
  expect(publisher.heard('ok').filter((n) => n !== '0')).toEqual([])
  // It never comes back under that name, and its session ends.
  await publisher.line('ok 1')
  expect(hub.stats().busV1).toMatchObject({ sessions: 1, subscriptions: 0 })
})
