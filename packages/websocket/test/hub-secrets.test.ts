/** Where a token ends up: in the application's hands, and in nothing that hub or client say, print or keep. */
import { inspect } from 'node:util'
import { createEvent } from '@bus/core'
import { captureTelemetry } from '@bus/testing'
import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade } from './raw-peer.ts'
import { dial } from './wire-client.ts'

const CANARY = 'canary-7f3a9c'

test('a token is in no answer, no close reason, no figure and no error of the hub, whatever becomes of it [F143]', async () => {
  const errors: unknown[] = []
  const seen: unknown[] = []
  const hub = await startHub({
    allowAnonymous: false,
    onError: (error) => errors.push(error),
    authenticate: ({ token }) => {
      seen.push(token)
      if (token?.endsWith('fails') === true) throw new Error('the store is away')
      return token?.endsWith('good') === true ? { id: 'alice' } : null
    },
  })
  const said: string[] = []
  for (const how of ['good', 'bad', 'fails']) {
    const client = await dial(hub)
    client.say(`hello {"v":1,"subs":[],"token":"${CANARY}-${how}"}`)
    if (how === 'good') {
      await client.line('welcome ')
      client.say(`auth {"token":"${CANARY}-bad"}`)
    }
    const { code, reason } = await client.closed
    said.push(...client.lines, `${code} ${reason}`)
    const peer = await rawSocket(hub.port)
    requestUpgrade(peer, `/?room=1`, [
      `Authorization: Bearer ${CANARY}-${how}`,
      `Sec-WebSocket-Protocol: bus.v1, ${CANARY}`,
      `Cookie: session=${CANARY}`,
    ])
    await until(() => peer.received.includes('\r\n\r\n'), 'an answer')
    said.push(peer.received.toString('latin1'))
  }
  const refused = await rawSocket(hub.port)
  requestUpgrade(refused, `/?token=${CANARY}`)
  await refused.ended
  said.push(refused.received.toString('latin1'))
  expect(seen.filter((token) => String(token).startsWith(CANARY))).toHaveLength(7)
  expect(errors).toHaveLength(2)
  const shown = inspect([said, errors, hub.stats(), hub.url], { depth: 20, showHidden: true })
  expect(shown).not.toContain('canary')
  expect(said.at(-1)).toMatch(/^HTTP\/1\.1 400 /)
})

test('a token of the client goes into no URL, notice, telemetry or message, from connecting to its refusal [F143]', async () => {
  using told = captureTelemetry()
  let isGood = true
  const requests: unknown[] = []
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: ({ token, request }) => {
      requests.push(request.url)
      return token === CANARY && isGood ? { id: 'alice' } : null
    },
  })
  const transport = transportTo(hub, {
    protocol: busV1({ token: CANARY }),
    reconnect: { maxAttempts: 1 },
  })
  const notices = record(transport)
  await transport.publish(createEvent('a', 1))
  isGood = false
  hub.revoke('alice')
  await until(() => transport.status.state === 'closed', 'it is refused')
  const failure = await transport.publish(createEvent('a', 2)).catch((error: unknown) => error)
  expect(told.entries.length).toBeGreaterThan(0)
  const all = [told.entries, notices, failure, transport.status, transport.stats(), requests]
  const shown = inspect(all, { depth: 12, showHidden: true })
  expect(shown).not.toContain(CANARY)
  expect(requests[0]).toBe('/')
})
