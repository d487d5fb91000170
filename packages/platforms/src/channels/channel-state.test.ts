import { expect, test } from 'vitest'
import { formatState, parseState } from './channel-state.ts'

const one = (over: object = {}) => ({
  id: 'i1',
  channel: 'a',
  history: [{ status: 'pending', at: 1 }],
  ...over,
})
const stateOf = (...subscriptions: object[]) => JSON.stringify({ version: 1, subscriptions })

test('is read as it was written, status, reasons and all', () => {
  const subscription = {
    id: 'i1',
    channel: 'a',
    status: 'failed',
    history: [
      { status: 'pending', at: 1 },
      { status: 'failed', at: 2.5, reason: 'no such channel' },
    ],
  } as const
  const { status, ...saved } = subscription
  expect(parseState(formatState([subscription]))).toEqual([saved])
  expect(status).toBe(saved.history.at(-1)?.status)
})

test.each([
  ['no text', 7, 'state'],
  ['no JSON', '{', 'state'],
  ['nothing', 'null', 'state'],
  ['a list', '[]', 'state'],
  ['no version', '{"subscriptions":[]}', 'state.version'],
  ['another version', '{"version":2,"subscriptions":[]}', 'state.version'],
  ['no subscriptions', '{"version":1}', 'state.subscriptions'],
  ['something else beside', '{"version":1,"subscriptions":[],"more":1}', 'state.more'],
  ['a subscription that is none', '{"version":1,"subscriptions":[7]}', 'state.subscriptions[0]'],
  ['no id', stateOf(one({ id: '' })), 'state.subscriptions[0].id'],
  ['no channel', stateOf(one({ channel: 7 })), 'state.subscriptions[0].channel'],
  ['no history', stateOf(one({ history: [] })), 'state.subscriptions[0].history'],
  [
    'a history without end',
    stateOf(one({ history: Array.from({ length: 33 }, () => ({ status: 'pending', at: 1 })) })),
    'state.subscriptions[0].history',
  ],
  [
    'a status that does not exist',
    stateOf(one(), one({ id: 'i2', history: [{ status: 'open', at: 1 }] })),
    'state.subscriptions[1].history[0].status',
  ],
  [
    'a time that is none',
    stateOf(one({ history: [{ status: 'pending', at: '1' }] })),
    'state.subscriptions[0].history[0].at',
  ],
  ['an id twice', stateOf(one(), one({ channel: 'b' })), 'state.subscriptions[1].id'],
  ['a wanted channel twice', stateOf(one(), one({ id: 'i2' })), 'state.subscriptions[1].channel'],
])('that holds %s is refused, and what is wrong is named', (_what, json, path) => {
  expect(() => parseState(json as string)).toThrow(
    expect.objectContaining({ code: 'config', path }),
  )
})

test('may hold a channel as often as it was subscribed to, if only one still is', () => {
  const ended = one({ id: 'i0', history: [{ status: 'expired', at: 1 }] })
  expect(parseState(stateOf(ended, one()))).toHaveLength(2)
})
