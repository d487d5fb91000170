import { expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { Collector, transportTo, until } from './harness.ts'
import { ev, startLiteralHub, type LiteralHub } from './literal-hub.ts'

/** A hub that says nothing to a subscription by itself. */
const mute = (): Promise<LiteralHub> => startLiteralHub({ answer: () => undefined })

test('subscribing, ending and subscribing again in one turn is reported as what it comes to [F90]', async () => {
  const hub = await mute()
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.connect()
  const [first, second] = [new Collector(), new Collector()]
  const gone = transport.subscribe(['a'], first)
  const ended = gone.unsubscribe()
  const feed = transport.subscribe(['a'], second)
  await expect(gone.live).rejects.toMatchObject({ code: 'aborted' })
  const lines = await hub.hears('sub')
  const id = lines.at(-1)?.split(' ', 1)[0]
  hub.say(`subok ${id} 0`)
  await Promise.all([feed.live, ended])
  hub.say(ev(1, 1, 'a'))
  await until(() => second.events.length === 1, 'the event')
  expect(first.events).toEqual([])
})

test('a verdict that comes when its subscription has ended holds for the one that has taken its place [F90]', async () => {
  const hub = await mute()
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.connect()
  const gone = transport.subscribe(['a'], new Collector())
  await hub.hears('sub')
  void gone.unsubscribe()
  const sink = new Collector()
  const feed = transport.subscribe(['a'], sink)
  hub.say('subok 7 0', 'subno 8 auth', 'subok 1 0')
  await feed.live
  hub.say(ev(1, 1, 'a'))
  await until(() => sink.events.length === 1, 'the event')
  await feed.unsubscribe()
  await hub.hears('unsub')
  expect(hub.heard('sub')).toEqual(['1 a alo'])
  expect(hub.heard('unsub')).toEqual(['1'])
})

test.each(['subok 1 0', 'subno 1 auth'])(
  'a "%s" that comes after the wait for it says nothing of the subscription that was asked for meanwhile [F90]',
  async (late) => {
    const hub = await mute()
    const transport = transportTo(hub, {
      protocol: busV1(),
      timeouts: { bootstrapMs: 60 },
    })
    await transport.connect()
    const gone = transport.subscribe(['a'], new Collector())
    await expect(gone.live).rejects.toMatchObject({ code: 'timeout' })
    await hub.hears('unsub')
    const slow = transport.subscribe(['a'], new Collector())
    expect(await hub.hears('sub', 2)).toEqual(['1 a alo', '2 a alo'])
    hub.say(late, 'subok 2 0')
    await slow.live
    await slow.unsubscribe()
    expect(await hub.hears('unsub', 2)).toEqual(['1', '2'])
  },
)
