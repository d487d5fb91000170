import { describe, expect, test, vi } from 'vitest'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { SessionLink } from '../../protocol/protocol.ts'
import { HelloExchange } from './bus-v1-session.ts'

function welcomeOf(changes: Partial<Welcome> = {}): Welcome {
  const nothing = { last: 0, refused: [], subs: [], gaps: [], head: 0 }
  const hub = { sid: 's-1', resumed: false, epoch: 'e', limits: wireDefaults, heartbeatMs: 1_000 }
  return { ...nothing, ...hub, ...changes }
}

/** Keeps what is said, as JSON, and whether frames flow. */
function newLink() {
  const said: unknown[] = []
  const how = { said, flows: false, fails: false }
  const link = {
    send(line: string) {
      said.push(JSON.parse(line.replace('hello ', '')))
      return how.fails ? Promise.reject(new Error('gone')) : Promise.resolve()
    },
    flow: () => (how.flows = true),
  } as unknown as SessionLink
  return { link, how }
}

const HELLO = { subs: [{ id: 1, pattern: 'a', mode: 'alo' }], offset: 3 } as const

describe('the exchange of hello and welcome', () => {
  test('says who we are and what we subscribe to, and ends with the answer of the hub', async () => {
    const hello = new HelloExchange()
    const { link, how } = newLink()
    const welcome = hello.exchange(link, HELLO)
    expect(how).toMatchObject({ said: [{ v: 1, ...HELLO, link: 1 }], flows: true })
    expect(how.said[0]).not.toHaveProperty('sid')
    expect(hello.isWelcomed).toBe(false)
    expect(hello.answered(welcomeOf())).toBeUndefined()
    expect(hello.isWelcomed).toBe(true)
    await expect(welcome).resolves.toEqual(welcomeOf())
  })

  test('requests on the next link the session that the hub has named, until it is forgotten', () => {
    const hello = new HelloExchange()
    const { link, how } = newLink()
    const greet = (): void => {
      hello.forgetLink()
      void hello.exchange(link, HELLO)
      expect(hello.isWelcomed).toBe(false)
      hello.answered(welcomeOf())
    }
    greet()
    greet()
    hello.forgetSession()
    greet()
    expect(how.said).toMatchObject([{ link: 1 }, { link: 2, sid: 's-1' }, { link: 3 }])
    expect(how.said[2]).not.toHaveProperty('sid')
  })

  test('takes no answer that is not pending, and none for another session', async () => {
    const hello = new HelloExchange()
    expect(hello.answered(welcomeOf())).toBe('again')
    const { link, how } = newLink()
    void hello.exchange(link, HELLO)
    hello.answered(welcomeOf())
    expect(hello.answered(welcomeOf())).toBe('again')
    hello.forgetLink()
    const welcome = hello.exchange(link, HELLO)
    expect(hello.answered(welcomeOf({ sid: 's-2', resumed: true }))).toBe('sid')
    expect(hello.fail(new Error('wrong session'))).toBe(true)
    await expect(welcome).rejects.toThrow('wrong session')
    // It is not requested again.
    hello.forgetLink()
    hello.exchange(link, HELLO).catch(() => {})
    expect(how.said.at(-1)).not.toHaveProperty('sid')
  })

  test('ends with its link, and not with a write that fails', async () => {
    const hello = new HelloExchange()
    const { link, how } = newLink()
    how.fails = true
    const welcome = hello.exchange(link, HELLO)
    const ended = vi.fn<() => void>()
    welcome.catch(ended)
    await new Promise((resolve) => setImmediate(resolve))
    expect(ended).not.toHaveBeenCalled()
    hello.forgetLink()
    await expect(welcome).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('knows whether an answer is pending', () => {
    expect(new HelloExchange().fail(new Error('too late'))).toBe(false)
  })
})
