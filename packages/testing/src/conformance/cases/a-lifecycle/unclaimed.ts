/** What a transport does not promise, it refuses. */
import assert from 'node:assert/strict'
import { createEvent, type Transport, type Undeliverable } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { KeepingSink } from '../../case-tools/keeping-sink.ts'
import type { World } from '../../world/world.ts'

export const unclaimed: ConformanceCase = {
  id: 'A2',
  level: 'MUST',
  title: 'what is not promised is refused with UnsupportedError and has no effect; what is, works',
  async run(world) {
    const transport = world.transport()
    await world.soon(transport.connect(), 'to connect')
    const inbox = await world.collect(world.bus(), 'a')
    const expected: unknown[] = []
    if (await takesAtLeastOnce(world, transport)) expected.push('at least once')
    await takesWildcards(world, transport)
    await refusesBytes(world, transport)
    await world.soon(transport.publish(createEvent('a', 'plain')), 'a plain publish')
    await inbox.gets([...expected, 'plain'])
  },
}

/** Publish, emit and subscribe can each ask for it. `true`: it was published. */
async function takesAtLeastOnce(world: World, transport: Transport): Promise<boolean> {
  const delivery = 'at-least-once'
  const event = createEvent('a', 'at least once')
  if (world.capabilities.delivery === delivery) {
    await world.soon(transport.publish(event, { delivery }), 'a publish at least once')
    return true
  }
  const unsupported = { code: 'unsupported', outcome: 'not-sent' } as const
  await world.rejects(transport.publish(event, { delivery }), unsupported, 'publish')
  await world.rejects(subscribed(transport, 'a', { delivery }), unsupported, 'subscribe')
  const lost: Undeliverable[] = []
  transport.on('undeliverable', (undeliverable) => void lost.push(undeliverable))
  transport.emit(event, { delivery })
  await world.until(() => lost.length > 0, 'a refused emit to be told')
  // A transport of several may tell it once for each.
  for (const { event: given, error } of lost) {
    assert.equal(given?.id, event.id)
    assert.equal((error as { code?: string }).code, 'unsupported')
  }
  return false
}

async function takesWildcards(world: World, transport: Transport): Promise<void> {
  const live = subscribed(transport, 'b.*', {})
  if (world.capabilities.wildcards) await world.soon(live, 'a pattern to be subscribed')
  else await world.rejects(live, { code: 'unsupported', outcome: 'not-sent' }, 'a pattern')
}

/** Bytes are refused either as beyond the promise or as what the codec cannot write, but never sent as something else. */
async function refusesBytes(world: World, transport: Transport): Promise<void> {
  if (world.capabilities.binary) return
  const published = transport.publish(createEvent('a', new Uint8Array([1, 2, 3])))
  await assert.rejects(world.soon(published, 'bytes to be refused'), (error: object) => {
    const { code, outcome } = error as { code?: string; outcome?: string }
    assert.ok(code === 'unsupported' || code === 'serialization', `refused, not ${code}`)
    assert.equal(outcome, 'not-sent')
    return true
  })
}

/** A transport may refuse by throwing or through `live`. */
async function subscribed(
  transport: Transport,
  pattern: string,
  options: Parameters<Transport['subscribe']>[2],
): Promise<void> {
  await transport.subscribe([pattern], new KeepingSink(), options).live
}
