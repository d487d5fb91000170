import { setImmediate as nextTurn } from 'node:timers/promises'
import { AuthError, DisconnectedError, type ErrorKind } from '@bus/core'
import { FakeClock } from '@bus/testing'
import type { AuthContext } from '@bus/websocket'
import type { Frame, ProtocolLink } from '@bus/websocket/protocol'
import type { AuthAnswer, AuthHandler, AuthState } from './auth.ts'
import { Authentication } from './authentication.ts'
import { describe, expect, test } from 'vitest'

/** A link whose other side is the test. */
class FakeLink implements ProtocolLink {
  readonly subprotocol = ''
  readonly sent: Frame[] = []
  readonly reported: { readonly kind: ErrorKind; readonly error: Error }[] = []
  readonly closedWith: [number, string][] = []
  readonly #ended = new AbortController()
  #take: ((frame: Frame) => void) | undefined

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async send(frame: Frame): Promise<void> {
    this.sent.push(frame)
  }

  waitFor<T>(match: (frame: Frame) => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      for (const end of [this.signal, signal]) {
        end?.addEventListener('abort', () => reject(end.reason as Error), { once: true })
      }
      this.#take = (frame) => {
        const found = match(frame)
        if (found !== undefined) resolve(found)
      }
    })
  }

  report(kind: ErrorKind, error: Error): void {
    this.reported.push({ kind, error })
  }

  close(code: number, reason: string): void {
    this.closedWith.push([code, reason])
    this.end()
  }

  end(): void {
    this.#ended.abort(new DisconnectedError('The link ended'))
  }

  /** The server says something, once what led to it has happened. */
  async hear(answer: AuthAnswer | 'unrelated'): Promise<void> {
    await nextTurn()
    this.#take?.(JSON.stringify(answer))
    await nextTurn()
  }
}

const accept = (expiresInMs?: number): AuthAnswer => ({
  accepted: true,
  ...(expiresInMs === undefined ? {} : { expiresInMs }),
})
const refuse: AuthAnswer = { accepted: false, reason: 'unknown' }
const WALL = 1_700_000_000_000

/** Its handler counts what it shows, and reads answers as the test writes them. */
function create(handler: Partial<AuthHandler> = {}) {
  const clock = new FakeClock(1_000)
  const contexts: AuthContext[] = []
  const states: AuthState[] = []
  const authentication = new Authentication(
    {
      credentials: (context) => {
        contexts.push(context)
        return `auth ${contexts.length}`
      },
      onResponse: (frame) => {
        const answer: unknown = JSON.parse(String(frame))
        return answer === 'unrelated' ? undefined : (answer as AuthAnswer)
      },
      onState: (state) => states.push(state),
      ...handler,
    },
    { clock, now: () => WALL + clock.now() },
  )
  return { authentication, clock, contexts, states }
}

async function authenticated(expiresInMs?: number, handler: Partial<AuthHandler> = {}) {
  const all = create(handler)
  const link = new FakeLink()
  const done = all.authentication.authenticate(link)
  await link.hear(accept(expiresInMs))
  await done
  return { ...all, link }
}

describe('authentication on a new link', () => {
  test('shows the credentials and waits for the answer, whatever else comes', async () => {
    const { authentication, contexts, states } = create()
    const link = new FakeLink()
    const done = authentication.authenticate(link)
    await link.hear('unrelated')
    expect(authentication.state).toEqual({ status: 'none' })
    await link.hear(accept(3_600_000))
    await done
    expect(link.sent).toEqual(['auth 1'])
    expect(contexts[0]).toMatchObject({ reason: 'connect', refusals: 0, now: WALL + 1_000 })
    const state = { status: 'authenticated', expiresAt: WALL + 3_601_000 }
    expect(authentication.state).toEqual(state)
    expect(states).toEqual([state])
  })

  test('is done when the credentials were sent, where the server answers nothing', async () => {
    const clock = new FakeClock()
    const handler: AuthHandler = {
      credentials: () => 'token',
      expiresAt: () => WALL + 120_000,
    }
    const authentication = new Authentication(handler, { clock, now: () => WALL })
    const link = new FakeLink()
    await authentication.authenticate(link)
    expect(link.sent).toEqual(['token'])
    expect(authentication.state).toEqual({ status: 'authenticated', expiresAt: WALL + 120_000 })
    clock.advance(60_000)
    await nextTurn()
    expect(link.sent).toEqual(['token', 'token'])
  })

  test('takes the end of the credentials from the answer, else from the handler', async () => {
    const own = { expiresAt: () => WALL + 5_000_000 }
    const { authentication, states } = await authenticated(undefined, own)
    expect(states.at(-1)?.expiresAt).toBe(WALL + 5_000_000)
    const link = new FakeLink()
    const again = authentication.authenticate(link)
    await link.hear({ accepted: true, expiresAt: WALL + 7_000_000 })
    await again
    expect(states.at(-1)?.expiresAt).toBe(WALL + 7_000_000)
  })

  test('that is refused is an AuthError, worth one more attempt with fresh credentials, and then final', async () => {
    const { authentication, contexts, states } = create()
    const attempt = async (): Promise<AuthError> => {
      const link = new FakeLink()
      const done = authentication.authenticate(link).catch((error: unknown) => error)
      await link.hear(refuse)
      link.end()
      return (await done) as AuthError
    }
    const first = await attempt()
    expect(first).toBeInstanceOf(AuthError)
    expect(first.message).toBe('The server does not accept our credentials: unknown')
    expect(first.retryable).toBe(true)
    expect((await attempt()).retryable).toBe(false)
    expect(contexts.map(({ refusals }) => refusals)).toEqual([0, 1])
    expect(states.map(({ status }) => status)).toEqual(['failed', 'none', 'failed', 'none'])
  })

  test('that is refused is final at once where the credentials never change', async () => {
    const { authentication } = create({ isFixed: true })
    const link = new FakeLink()
    const done = authentication.authenticate(link).catch((error: unknown) => error)
    await link.hear(refuse)
    expect(await done).toMatchObject({ code: 'auth', retryable: false })
  })

  test('ends with the link, and leaves no timer', async () => {
    const { authentication, clock } = create()
    const link = new FakeLink()
    const done = authentication.authenticate(link)
    await nextTurn()
    link.end()
    await expect(done).rejects.toMatchObject({ code: 'disconnected' })
    expect(clock.pending).toBe(0)
  })

  test('refuses credentials that are no message', async () => {
    const { authentication } = create({ credentials: () => undefined as unknown as string })
    await expect(authentication.authenticate(new FakeLink())).rejects.toMatchObject({
      code: 'auth',
    })
  })
})

describe('renewal on a live link', () => {
  test('happens 60 s before the end', async () => {
    const { clock, link, contexts, states } = await authenticated(3_600_000)
    clock.advance(3_539_999)
    await nextTurn()
    expect(link.sent).toEqual(['auth 1'])
    clock.advance(1)
    await link.hear(accept(3_600_000))
    expect(link.sent).toEqual(['auth 1', 'auth 2'])
    expect(contexts[1]).toMatchObject({ reason: 'renew', refusals: 0 })
    expect(states).toHaveLength(2)
    clock.advance(3_540_000)
    await nextTurn()
    expect(link.sent).toHaveLength(3)
  })

  test('happens at a threshold of one’s own', async () => {
    const { clock, link } = await authenticated(3_600_000, { renewBeforeMs: 600_000 })
    clock.advance(2_999_999)
    await nextTurn()
    expect(link.sent).toHaveLength(1)
    clock.advance(1)
    await nextTurn()
    expect(link.sent).toHaveLength(2)
  })

  test('does not happen without an end', async () => {
    const { authentication, clock } = await authenticated()
    expect(clock.pending).toBe(0)
    expect(authentication.needsRenewal).toBe(false)
  })

  test('does not happen once the link has ended', async () => {
    const { authentication, clock, link, states } = await authenticated(3_600_000)
    link.end()
    expect(clock.pending).toBe(0)
    expect(authentication.state).toEqual({ status: 'none' })
    expect(states.at(-1)).toEqual({ status: 'none' })
    await expect(authentication.renew()).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('that is refused is reported, and tried again while the credentials are good', async () => {
    const { authentication, clock, link } = await authenticated(3_600_000)
    clock.advance(3_540_000)
    await link.hear(refuse)
    expect(link.reported).toMatchObject([{ kind: 'auth', error: { code: 'auth' } }])
    expect(authentication.state.status).toBe('failed')
    expect(authentication.needsRenewal).toBe(true)
    expect(link.closedWith).toEqual([])
    clock.advance(15_000)
    await link.hear(accept(3_600_000))
    expect(link.sent).toHaveLength(3)
    expect(authentication.state.status).toBe('authenticated')
    expect(authentication.needsRenewal).toBe(false)
  })

  test('that fails until the end of the credentials ends the link', async () => {
    const down = new Error('the issuer is down')
    let isDown = false
    const credentials = (): string => {
      if (isDown) throw down
      return 'auth'
    }
    const { clock, link } = await authenticated(3_600_000, { credentials })
    isDown = true
    clock.advance(3_540_000)
    for (let second = 0; second < 62; second++) {
      await nextTurn()
      clock.advance(1_000)
    }
    await nextTurn()
    expect(link.reported.length).toBeGreaterThan(2)
    expect(link.reported.every(({ kind, error }) => kind === 'auth' && error === down)).toBe(true)
    expect(link.closedWith).toEqual([[4401, 'credentials ended']])
    expect(clock.pending).toBe(0)
  })

  test('that is not answered in time is reported, and tried again', async () => {
    const { clock, link } = await authenticated(3_600_000, { timeoutMs: 500 })
    clock.advance(3_540_000)
    await nextTurn()
    clock.advance(500)
    await nextTurn()
    expect(link.reported).toMatchObject([{ kind: 'auth', error: { code: 'timeout' } }])
    clock.advance(15_000)
    await nextTurn()
    expect(link.sent).toHaveLength(3)
  })

  test('can be asked for, and is not started twice', async () => {
    const { authentication, link } = await authenticated(3_600_000)
    const both = Promise.all([authentication.renew(), authentication.renew()])
    await link.hear(accept(7_200_000))
    await both
    expect(link.sent).toEqual(['auth 1', 'auth 2'])
    const third = authentication.renew()
    await link.hear(accept())
    await third
    expect(link.sent).toHaveLength(3)
  })

  test('follows when the server says, unasked, that we are out', async () => {
    const { authentication, clock, link } = await authenticated(3_600_000)
    expect(authentication.heard(JSON.stringify('unrelated'))).toBe(false)
    expect(authentication.heard(JSON.stringify(accept()))).toBe(true)
    expect(authentication.state.status).toBe('authenticated')
    expect(authentication.heard(JSON.stringify(refuse))).toBe(true)
    expect(authentication.state.status).toBe('failed')
    expect(link.reported).toMatchObject([{ kind: 'auth', error: { retryable: true } }])
    clock.advance(1_000)
    await link.hear(accept(3_600_000))
    expect(link.sent).toHaveLength(2)
    expect(authentication.state.status).toBe('authenticated')
  })
})

test('a listener of the state that throws is reported and changes nothing', async () => {
  const { authentication, link } = await authenticated(3_600_000, {
    onState: () => {
      throw new Error('boom')
    },
  })
  expect(authentication.state.status).toBe('authenticated')
  expect(link.reported).toMatchObject([{ kind: 'listener', error: { message: 'boom' } }])
})

const credentials = (): string => ''

test.each([
  [{}, 'auth'],
  [{ credentials, renewBeforeMs: -1 }, 'auth.renewBeforeMs'],
  [{ credentials, timeoutMs: 0 }, 'auth.timeoutMs'],
  [{ credentials, onState: 1 }, 'auth.onState'],
])('a handler that cannot be one is a ConfigError: %o', (handler, path) => {
  expect(() => new Authentication(handler as unknown as AuthHandler)).toThrow(
    expect.objectContaining({ code: 'config', path }) as Error,
  )
})
