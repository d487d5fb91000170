import { expect, test } from 'vitest'
import { isSameSecret } from '../src/hub/index.ts'
import { busV1, webSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import { serve, transportTo } from './harness.ts'

const CANARY = 'canary-7f3a9c'
const FAR = 'ws://hub.example/events'

type Options = Omit<WebSocketTransportOptions, 'url'>

/** What the transport says of these options. */
function refusal(url: string, options: Options): unknown {
  try {
    webSocketTransport({ url, ...options })
  } catch (error) {
    return error
  }
  return undefined
}

const shown: readonly [path: string, url: string, options: Options][] = [
  ['headers.Authorization', FAR, { headers: { Authorization: `Bearer ${CANARY}` } }],
  ['headers.cookie', FAR, { headers: { cookie: `session=${CANARY}` } }],
  ['headers.x-api-key', FAR, { headers: { 'x-api-key': CANARY } }],
  ['protocol', FAR, { protocol: busV1({ token: CANARY }) }],
  ['protocol', FAR, { protocol: { ...plainJson(), authenticate: async () => {} } }],
  ['url', `${FAR}?access_token=${CANARY}`, {}],
]

test.each(shown)(
  'credentials in %s do not go over ws: to another machine, unless that is allowed [F160]',
  (path, url, options) => {
    expect(refusal(url, options)).toMatchObject({ code: 'config', path })
    expect(String(refusal(url, options))).not.toContain(CANARY)
    expect(refusal(url, { ...options, allowInsecure: true })).toBeUndefined()
    expect(refusal(url.replace('ws:', 'wss:'), options)).toBeUndefined()
  },
)

test.each(['localhost', 'bus.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '127.1'])(
  'within this machine, as at %s, nobody is on the way [F160]',
  (host) => {
    const headers = { authorization: `Bearer ${CANARY}` }
    expect(refusal(`ws://${host}:8080/`, { headers })).toBeUndefined()
  },
)

test.each(['127.0.0.1.example', 'localhost.example', '10.0.0.1', '[::2]', '0x7f.example'])(
  'the host %s is another machine [F160]',
  (host) => {
    const headers = { authorization: `Bearer ${CANARY}` }
    expect(refusal(`ws://${host}/`, { headers })).toMatchObject({ code: 'config' })
  },
)

test('what shows no credentials may go anywhere', () => {
  expect(refusal(`${FAR}?room=1`, { headers: { 'user-agent': 'shop' } })).toBeUndefined()
})

test('headers that are made for each attempt are looked at before anything is sent [F160]', async () => {
  const server = await serve()
  // An address that does not look like this machine, and leads to it.
  const url = server.url.replace('127.0.0.1', '0.0.0.0')
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${CANARY}` })
  const refused = transportTo({ url }, { headers })
  await expect(refused.connect({ retry: true })).rejects.toMatchObject({
    code: 'config',
    path: 'headers.authorization',
  })
  expect(server.upgrades).toEqual([])
  await transportTo({ url }, { headers, allowInsecure: true }).connect()
  expect(server.upgrades).toHaveLength(1)
})

test('a secret is compared as a whole, and nothing is as good as none [F160]', () => {
  expect(isSameSecret(CANARY, CANARY)).toBe(true)
  const others = ['', 'c', `${CANARY}x`, CANARY.slice(0, -1), CANARY.toUpperCase(), undefined]
  for (const other of others) {
    expect(isSameSecret(other, CANARY)).toBe(false)
    expect(isSameSecret(CANARY, other)).toBe(false)
    expect(isSameSecret(other, other)).toBe(other !== undefined && other !== '')
  }
})
