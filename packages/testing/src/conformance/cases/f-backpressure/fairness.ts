/** The case about the event loop: publishing leaves it its turns. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'

/** Publishes after which a timer that has not fired never will. */
const MOST = 200_000

export const publishesLeaveTurns: ConformanceCase = {
  id: 'F9',
  level: 'MUST',
  title: 'publishes that are awaited in a loop leave timers their turn',
  async run(world) {
    const bus = world.bus()
    await world.soon(bus.connect(), 'to connect')
    const fired = new AbortController()
    const timer = setTimeout(() => fired.abort(), 1)
    let published = 0
    while (!fired.signal.aborted && published < MOST) await bus.publish('a', published++)
    clearTimeout(timer)
    assert.ok(fired.signal.aborted, `a timer of 1 ms has not fired in ${published} publishes`)
  },
}
