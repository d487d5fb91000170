/** Calls from within listeners: whatever is asked for in the middle of a change comes after it. */
import { createEvent, type TransportEvents } from '@bus/core'
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  record as recordOf,
  uniqueArray,
} from 'fast-check'
import { expect, test } from 'vitest'
import type { WebSocketTransport } from '../src/index.ts'
import { TRANSITIONS } from '../src/client/reconnect/lifecycle.ts'
import { leavesNothing, resources, serve, transportTo, until } from './harness.ts'

type Settled = PromiseSettledResult<unknown>

/** What an application may do at any moment. Promises are those that must settle. */
const CALLS: Record<string, (transport: WebSocketTransport) => readonly Promise<unknown>[]> = {
  publish: (transport) => [transport.publish(createEvent('a', 1))],
  emit: (transport) => (transport.emit(createEvent('a', 2)), []),
  reconnect: (transport) => [transport.reconnect()],
  connect: (transport) => [transport.connect({ retry: true })],
  subscribe: (transport) => {
    const feed = transport.subscribe(['a'], { deliver: () => true })
    return [feed.live, feed.unsubscribe()]
  },
  drain: (transport) => [transport.drain()],
  close: (transport) => [transport.close()],
}

const MOMENTS = ['connecting', 'bootstrapping', 'ready', 'backoff', 'draining', 'closed'] as const

const rules = uniqueArray(
  recordOf({
    on: constantFrom(...MOMENTS),
    calls: array(constantFrom(...Object.keys(CALLS)), { minLength: 1, maxLength: 4 }),
  }),
  { selector: ({ on }) => on, maxLength: 4 },
)

test('whatever is called within a listener, states follow the table, everything settles, and nothing is left [F40]', async () => {
  const server = await serve()
  const before = resources()
  await assert(
    asyncProperty(rules, async (script) => {
      const transport = transportTo(server, { reconnect: { backoff: () => 0 } })
      const all: Promise<Settled[]>[] = []
      const states = ['idle']
      let depth = 0
      let deepest = 0
      transport.on('status', ({ status }: TransportEvents['status']) => {
        depth++
        deepest = Math.max(deepest, depth)
        states.push(status.state)
        // What was told is so.
        const rule = script.find(({ on }) => on === status.state)
        // Not for ever: a listener that reconnects whenever it is ready never ends.
        for (const call of states.length > 30 ? [] : (rule?.calls ?? [])) {
          const promises = CALLS[call]?.(transport) ?? []
          all.push(Promise.allSettled(promises))
        }
        depth--
      })
      await transport.connect({ retry: true }).catch(() => {})
      if (transport.status.state === 'ready') server.faults.reset()
      await until(() => states.length > 4 || states.at(-1) === 'closed', 'something happened')
      await transport.close()
      for (let i = 0; i < all.length; i++) await all[i]
      expect(states.at(-1)).toBe('closed')
      expect(deepest).toBe(1)
      for (let i = 1; i < states.length; i++) {
        const [from, to] = [states[i - 1], states[i]]
        const allowed: readonly string[] = TRANSITIONS[from as keyof typeof TRANSITIONS]
        expect(allowed, `${from} to ${to}`).toContain(to)
      }
    }),
    { numRuns: 60 },
  )
  await until(() => server.live.length === 0, 'no socket')
  await expect(leavesNothing(before)).resolves.toBeUndefined()
})
