import { describe, expect, test } from 'vitest'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import type { SessionLink } from '../../protocol/protocol.ts'
import { Greeting } from './bus-v1-session.ts'

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
const { signal } = new AbortController()

describe('the greeting', () => {
  test('says who is there and what is wanted, and ends with the answer of the hub', async () => {
    const greeting = new Greeting()
    const { link, how } = newLink()
    const welcome = greeting.exchange(link, HELLO, signal)
    expect(how).toMatchObject({ said: [{ v: 1, ...HELLO, link: 1 }], flows: true })
    expect(how.said[0]).not.toHaveProperty('sid')
    expect(greeting.isWelcomed).toBe(false)
    expect(greeting.answered(welcomeOf())).toBeUndefined()
    expect(greeting.isWelcomed).toBe(true)
    await expect(welcome).resolves.toEqual(welcomeOf())
  })

  test('asks on the next link for the session that the hub has named, until it is forgotten', () => {
    const greeting = new Greeting()
    const { link, how } = newLink()
    const greet = (): void => {
      greeting.forgetLink()
      void greeting.exchange(link, HELLO, signal)
      expect(greeting.isWelcomed).toBe(false)
      greeting.answered(welcomeOf())
    }
    greet()
    greet()
    greeting.forgetSession()
    greet()
    expect(how.said).toMatchObject([{ link: 1 }, { link: 2, sid: 's-1' }, { link: 3 }])
    expect(how.said[2]).not.toHaveProperty('sid')
  })

  test('takes no answer that nobody asked for, and none for another session', async () => {
    const greeting = new Greeting()
    expect(greeting.answered(welcomeOf())).toBe('again')
    const { link, how } = newLink()
    void greeting.exchange(link, HELLO, signal)
    greeting.answered(welcomeOf())
    expect(greeting.answered(welcomeOf())).toBe('again')
    greeting.forgetLink()
    const welcome = greeting.exchange(link, HELLO, signal)
    expect(greeting.answered(welcomeOf({ sid: 's-2', resumed: true }))).toBe('sid')
    expect(greeting.fail(new Error('wrong session'))).toBe(true)
    await expect(welcome).rejects.toThrow('wrong session')
    // It is not asked for again.
    greeting.forgetLink()
    greeting.exchange(link, HELLO, signal).catch(() => {})
    expect(how.said.at(-1)).not.toHaveProperty('sid')
  })

  test('ends with its signal, and not with a write that fails', async () => {
    const greeting = new Greeting()
    const { link, how } = newLink()
    how.fails = true
    const control = new AbortController()
    const welcome = greeting.exchange(link, HELLO, control.signal)
    await new Promise((resolve) => setImmediate(resolve))
    control.abort(new Error('the link is gone'))
    await expect(welcome).rejects.toThrow('the link is gone')
  })

  test('knows whether somebody waits', () => {
    expect(new Greeting().fail(new Error('nobody hears it'))).toBe(false)
  })
})
