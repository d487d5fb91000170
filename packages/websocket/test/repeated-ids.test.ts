import { createBus, createEvent, type Bus } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, sub } from './wire-client.ts'

function busTo(hub: { readonly url: string }): Bus {
  const bus = createBus({ transport: transportTo(hub, { protocol: busV1() }) })
  onTestFinished(() => bus.close())
  return bus
}

/** The payloads that a handler gets. */
async function handled(bus: Bus): Promise<unknown[]> {
  const seen: unknown[] = []
  await bus.subscribe('>', ({ payload }) => void seen.push(payload))
  return seen
}

const line = (verb: 'pub' | 'rep', n: number, source: string, payload: string): string =>
  `${verb} ${n} a same-id {"payload":"${payload}","metadata":{"timestamp":1,"source":"${source}"}}`

describe('the same id', () => {
  test('that is published twice on purpose is handled twice [F82]', async () => {
    const hub = await startHub()
    const seen = await handled(busTo(hub))
    const publisher = busTo(hub)
    for (const payload of ['first', 'second', 'third']) {
      await publisher.publish(createEvent('a', payload, { id: 'same-id', source: 'shop' }))
    }
    await until(() => seen.length === 3, 'all three')
    expect(seen).toEqual(['first', 'second', 'third'])
  })

  test('is a repetition only where its publisher says that it sends it again [F82]', async () => {
    const hub = await startHub()
    const seen = await handled(busTo(hub))
    const publisher = await greet(hub)
    publisher.say(line('pub', 1, 'shop', 'first'), line('rep', 2, 'shop', 'again'))
    publisher.say(line('pub', 3, 'shop', 'on purpose'), line('rep', 4, 'shop', 'again'))
    await publisher.line('ok 4')
    await until(() => seen.includes('on purpose'), 'what is no repetition')
    publisher.say('pub 5 b other {"payload":"end","metadata":{"timestamp":1}}')
    await until(() => seen.includes('end'), 'the last')
    expect(seen).toEqual(['first', 'on purpose', 'end'])
  })

  test('of another event is none, although the later one is sent again [F82]', async () => {
    const hub = await startHub()
    const seen = await handled(busTo(hub))
    const again = (type: string, timestamp: number): string =>
      `${type} same-id {"payload":"${type} at ${timestamp}","metadata":{"timestamp":${timestamp}}}`
    const [first, second] = [await greet(hub), await greet(hub)]
    first.say(`pub 1 ${again('a', 1)}`)
    await first.line('ok 1')
    second.say(`rep 1 ${again('a', 2)}`, `rep 2 ${again('b', 1)}`, `rep 3 ${again('a', 1)}`)
    await second.line('ok 3')
    second.say(`pub 4 ${again('end', 1)}`)
    await until(() => seen.includes('end at 1'), 'the last')
    expect(seen).toEqual(['a at 1', 'a at 2', 'b at 1', 'end at 1'])
  })

  test('of another source is another event, also where both were sent again [F83]', async () => {
    const hub = await startHub()
    const seen = await handled(busTo(hub))
    const [attacker, victim] = [await greet(hub), await greet(hub)]
    attacker.say(line('rep', 1, 'mallory', 'from mallory'))
    await attacker.line('ok 1')
    victim.say(line('rep', 1, 'shop', 'from the shop'))
    await until(() => seen.length === 2, 'both')
    expect(seen).toEqual(['from mallory', 'from the shop'])
  })

  test('of another principal is another event, whatever source he claims, where the hub writes the source [F83]', async () => {
    const hub = await startHub({
      allowAnonymous: false,
      authenticate: ({ token }) => (token === undefined ? null : { id: token }),
      source: 'principal',
    })
    const headers = (token: string): { authorization: string } => ({
      authorization: `Bearer ${token}`,
    })
    const transport = transportTo(hub, { protocol: busV1(), headers: headers('reader') })
    const bus = createBus({ transport })
    onTestFinished(() => bus.close())
    const seen = await handled(bus)
    const attacker = await greet(hub, {}, headers('mallory'))
    const victim = await greet(hub, {}, headers('shop'))
    attacker.say(line('rep', 1, 'shop', 'from mallory'))
    await attacker.line('ok 1')
    victim.say(line('rep', 1, 'shop', 'from the shop'))
    await until(() => seen.length === 2, 'both')
    expect(seen).toEqual(['from mallory', 'from the shop'])
  })

  test('does not keep an event away that is published for the first time, in whatever session it was used before [F83]', async () => {
    const hub = await startHub()
    const seen = await handled(busTo(hub))
    const [attacker, victim] = [await greet(hub), await greet(hub)]
    attacker.say(line('pub', 1, 'shop', 'from mallory'), line('rep', 2, 'shop', 'again'))
    await attacker.line('ok 2')
    victim.say(line('pub', 1, 'shop', 'from the shop'))
    await until(() => seen.length === 2, 'both')
    expect(seen).toEqual(['from mallory', 'from the shop'])
    // Numbers, by which the hub knows repetitions, are of one session: those of others mean nothing.
    const reader = await greet(hub, { subs: [sub(1, '>', 'alo', 0)] })
    await reader.events(3)
    expect(hub.stats().busV1.duplicates).toBe(0)
  })
})
