/** Bugs of what client and hub share with every transport. */
import type { SeededBug } from './seeded-bug.ts'

const CORE = 'packages/core/src'
const MEMORY = 'packages/testing/test/conformance-memory.test.ts'
const BUS_V1 = 'packages/websocket/test/conformance/bus-v1.test.ts'

export const CORE_BUGS: readonly SeededBug[] = [
  {
    name: 'drops-without-a-word',
    bug: 'drops the oldest event of a full queue without rejecting its publish',
    file: `${CORE}/queue/bounded-queue.ts`,
    find: 'for (const item of evicted) this.#hooks.onDrop?.(item)',
    replace: 'for (const item of evicted) void item',
    caughtBy: { [MEMORY]: ['F2'], [BUS_V1]: ['F2'] },
  },
  {
    name: 'keeps-aborted-waiters',
    bug: 'lets in, in its turn, what its publisher has given up waiting for',
    file: `${CORE}/queue/waiters.ts`,
    find: '  #giveUp(waiter: Waiter<T>, error: Error): void {\n    this.#unlink(waiter)\n',
    replace: '  #giveUp(waiter: Waiter<T>, error: Error): void {\n',
    caughtBy: { [MEMORY]: ['A7'] },
  },
  {
    name: 'removes-before-handling',
    bug: 'takes a dead letter out of its queue before it was handled',
    file: `${CORE}/resilience/dead-letters.ts`,
    find: '    try {\n      await withDeadline((signal) => this.#handler(lease.letter, { signal }), {',
    replace:
      '    try {\n      lease.succeed()\n      await withDeadline((signal) => this.#handler(lease.letter, { signal }), {',
    caughtBy: { 'packages/core/test/dead-letters.test.ts': ['F126'] },
  },
  {
    name: 'trusts-events-made-by-hand',
    bug: 'writes an event as it is, whoever has made it',
    file: `${CORE}/contract/event.ts`,
    find: 'if (Object.isFrozen(event)) return event',
    replace: 'if (event !== undefined) return event',
    caughtBy: { [MEMORY]: ['A8'], [BUS_V1]: ['A8'] },
  },
  {
    name: 'forgets-who-subscribed',
    bug: 'runs a handler in the asynchronous context of whoever delivers',
    file: `${CORE}/bus/handler-runner.ts`,
    find: '        return within.runInAsyncScope(handler, undefined, event, context)\n',
    replace: '        return handler(event, context)\n',
    caughtBy: { [MEMORY]: ['D11'], [BUS_V1]: ['D11'] },
  },
  {
    name: 'lets-the-quicker-pass',
    bug: 'hands an event to the transport as soon as its middleware has answered',
    file: `${CORE}/bus/publisher.ts`,
    find: '    return this.turn === undefined ? this.#passNow(handOver) : this.#passLater(handOver)\n',
    replace: '    return this.#passNow(handOver)\n',
    caughtBy: { [MEMORY]: ['C8'], [BUS_V1]: ['C8'] },
  },
  {
    name: 'leaves-consumers-waiting',
    bug: 'ends no consumer when the transport is over',
    file: `${CORE}/bus/event-bus.ts`,
    find: "status.state === 'closed' && this.#state !== 'closed'",
    replace: "status.state === 'closed' && this.#state === 'closed'",
    caughtBy: { [MEMORY]: ['A11'], [BUS_V1]: ['A11'] },
  },
]
