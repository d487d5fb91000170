/** Tokens that are not accepted, and tokens that could not be: an end, and no dialing for ever. */
import { describe, expect, test } from 'vitest'
import { busV1, type AuthContext, type WebSocketTransport } from '../src/index.ts'
import type { Hub, Principal } from '../src/hub/index.ts'
import { cut, record, only, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { startLiteralHub } from './literal-hub.ts'

const authenticate = ({ token }: { readonly token: string | undefined }): Principal | null =>
  token?.startsWith('good') === true ? { id: 'alice' } : null

/** A hub that knows everybody whose token begins with `good`. */
const guardedHub = (): Promise<Hub> => startHub({ allowAnonymous: false, authenticate })

type Source = Parameters<typeof busV1>[0]

const clientOf = (hub: { readonly url: string }, options: Source = {}): WebSocketTransport =>
  transportTo(hub, { protocol: busV1(options) })

const unauthorized = (hub: Hub): number => hub.stats().busV1.unauthorized

describe('a token that the hub refuses', () => {
  test.each([
    ['a fixed one', { token: 'bad' }],
    ['none', {}],
  ])('ends the transport at once where it never changes: %s [F19]', async (_what, options) => {
    const hub = await guardedHub()
    const transport = clientOf(hub, options)
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'auth',
      retryable: false,
    })
    expect(transport.status).toMatchObject({ state: 'closed', cause: { code: 'auth' } })
    expect(unauthorized(hub)).toBe(1)
  })

  test('is requested once more, and the next one gets us in [F19]', async () => {
    const hub = await guardedHub()
    const asked: number[] = []
    const token = ({ refusals }: AuthContext): string => {
      asked.push(refusals)
      return refusals > 0 ? 'good' : 'bad'
    }
    const transport = clientOf(hub, { token })
    const notices = record(transport)
    await transport.connect({ retry: true })
    expect(asked).toEqual([0, 1])
    expect(only(notices, 'error')).toMatchObject([{ error: { code: 'auth' } }])
    // What was refused in a row begins anew with a link.
    await expect(transport.reconnect()).rejects.toMatchObject({ code: 'auth' })
    await transport.connect({ retry: true })
    expect(asked).toEqual([0, 1, 0, 1])
  })

  test('twice in a row ends the transport, without a third dial [F19]', async () => {
    const hub = await guardedHub()
    const transport = clientOf(hub, { token: () => Promise.resolve('bad') })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({ code: 'auth' })
    expect(transport.status.state).toBe('closed')
    expect(unauthorized(hub)).toBe(2)
  })

  test('on a live link is followed by another link, which shows another one [F19]', async () => {
    const hub = await startLiteralHub()
    const refusals: number[] = []
    const transport = clientOf(hub, {
      token: (context) => `good ${refusals.push(context.refusals)}`,
    })
    await transport.connect()
    hub.latest.close(4401, 'expired')
    await hub.welcomed(2)
    await until(() => transport.status.state === 'ready', 'ready')
    await cut(hub.server, transport)
    await hub.welcomed(3)
    expect(refusals).toEqual([0, 1, 0])
  })
})

describe('a token that ends in a line break', () => {
  const token = 'good-canary\n'

  test('is a mistake in the options, which does not show it [F27]', () => {
    const make = (): unknown => busV1({ token })
    expect(make).toThrow(/`token` to be a token on one line/)
    expect(make).toThrow(expect.not.stringContaining('canary') as Error)
  })

  test('and comes from a function ends the transport before the hub sees it [F27]', async () => {
    const hub = await guardedHub()
    const transport = clientOf(hub, { token: () => token })
    const error: unknown = await transport.connect({ retry: true }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'auth', message: expect.any(String) as string })
    expect(JSON.stringify(error) + String(error)).not.toContain('canary')
    expect(String((error as Error).cause)).toMatch(/does it end with a line break/)
    expect(unauthorized(hub)).toBe(0)
    expect(transport.status.state).toBe('closed')
  })
})
