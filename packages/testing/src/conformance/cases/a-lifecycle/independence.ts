/** Transports on one medium do not depend on each other. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'

export const independence: ConformanceCase = {
  id: 'A10',
  level: 'MUST',
  title: 'closing one transport does not affect another on the same medium',
  async run(world) {
    const [one, two, three] = [world.bus(), world.bus(), world.bus()]
    const gone = await world.collect(one, 'a')
    const inbox = await world.collect(two, 'a')
    await world.soon(three.publish('a', 1), 'a publish')
    await gone.gets([1])
    const { status } = two
    await world.soon(one.close(), 'to close')
    await world.soon(three.publish('a', 2), 'a publish after that')
    await inbox.gets([1, 2])
    await gone.gets([1])
    assert.equal(two.status, status, 'the other’s link is the same as before')
    await world.soon(two.publish('b', 3), 'a publish of the other')
  },
}
