/** What a transport says of itself. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'

export const manifest: ConformanceCase = {
  id: 'A1',
  level: 'MUST',
  title: 'capabilities are frozen, the same on every instance, and survive JSON',
  async run(world) {
    const [one, two] = [world.transport(), world.transport()]
    await world.all([one.connect(), two.connect()], 'both to connect')
    assert.deepEqual(one.capabilities, world.capabilities)
    assert.deepEqual(two.capabilities, world.capabilities)
    assert.deepEqual(JSON.parse(JSON.stringify(one.capabilities)), one.capabilities)
    assert.ok(isDeeplyFrozen(one.capabilities), 'capabilities are frozen to the bottom')
    assert.equal(one.name, two.name, 'every instance has the name of its kind')
  },
}

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen)
}
