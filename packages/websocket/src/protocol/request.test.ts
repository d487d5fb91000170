import { getEventListeners } from 'node:events'
import { DisconnectedError } from '@bus/core'
import { expect, test } from 'vitest'
import { FakeClock } from '../../test/fake-clock.ts'
import { Answers } from '../client/frames/answers.ts'
import type { Frame, ProtocolLink } from './protocol.ts'
import { Requests } from './request.ts'

/** A link whose frames the test brings, and whose writes may fail or never be told of. */
function fakeLink(send: () => Promise<void> = async () => {}) {
  const unclaimed: Frame[] = []
  const sent: Frame[] = []
  const ended = new AbortController()
  const answers = new Answers({ unclaimed: (frame) => unclaimed.push(frame), changed: () => {} })
  answers.settle()
  const link: ProtocolLink = {
    signal: ended.signal,
    subprotocol: '',
    send: (frame) => {
      sent.push(frame)
      return send()
    },
    waitFor: (match, signal) =>
      signal === undefined
        ? answers.wait(match, ended.signal)
        : answers.wait(match, ended.signal, signal),
    report: () => {},
    close: () => {},
  }
  const end = (): void => ended.abort(new DisconnectedError('The link ended'))
  return { link, answers, unclaimed, sent, end }
}

const is = (text: string) => (frame: Frame) => (frame === text ? text.toUpperCase() : undefined)

test('sends once, gives what the match makes of the answer, and leaves other frames alone', async () => {
  const clock = new FakeClock()
  const { link, answers, unclaimed, sent } = fakeLink()
  const call = new Requests(clock).run(link, 'ask', is('a'), { what: 'Asking' })
  for (const frame of ['x', 'a', 'a']) answers.frame(frame)
  await expect(call).resolves.toBe('A')
  expect(sent).toEqual(['ask'])
  expect(unclaimed).toEqual(['x', 'a'])
  expect(clock.pending).toBe(0)
})

test('an answer that comes before the callback of the write counts', async () => {
  let written = (): void => {}
  const { link, answers } = fakeLink(() => new Promise((resolve) => (written = resolve)))
  const call = new Requests(new FakeClock()).run(link, 'ask', is('a'), { what: 'Asking' })
  answers.frame('a')
  written()
  await expect(call).resolves.toBe('A')
})

test('a write that fails ends the wait, which claims nothing any more', async () => {
  const clock = new FakeClock()
  const broken = new DisconnectedError('The link broke while sending')
  const { link, answers, unclaimed } = fakeLink(() => Promise.reject(broken))
  const call = new Requests(clock).run(link, 'ask', is('a'), { what: 'Asking', timeoutMs: 100 })
  await expect(call).rejects.toMatchObject({ outcome: 'unknown', cause: broken })
  expect(clock.pending).toBe(0)
  expect(answers.size).toBe(0)
  answers.frame('a')
  expect(unclaimed).toEqual(['a'])
})

test('a link that ends fails the request although its write is never called back', async () => {
  const { link, end, answers } = fakeLink(() => new Promise(() => {}))
  const call = new Requests(new FakeClock()).run(link, 'ask', is('a'), { what: 'Asking' })
  end()
  await expect(call).rejects.toMatchObject({
    message: 'Asking lost its link before it was answered',
    code: 'disconnected',
  })
  expect(answers.size).toBe(0)
})

test('what the match throws is what the caller gets', async () => {
  const { link, answers, unclaimed } = fakeLink()
  const refuse = (frame: Frame): never => {
    throw new RangeError(String(frame))
  }
  const call = new Requests(new FakeClock()).run(link, 'ask', refuse, { what: 'Asking' })
  answers.frame('no')
  await expect(call).rejects.toThrow(new RangeError('no'))
  expect(unclaimed).toEqual([])
})

test('the time limit counts from the call, and leaves no wait', async () => {
  const clock = new FakeClock()
  const { link, answers } = fakeLink()
  const requests = new Requests(clock)
  const ends = [{ timeoutMs: 20 }, {}, { timeoutMs: Infinity }].map((limit) =>
    requests.run(link, 'ask', is('a'), { what: 'Asking', ...limit }).catch(String),
  )
  clock.advance(20)
  await expect(ends[0]).resolves.toBe('TimeoutError: Asking took longer than 20 ms')
  clock.advance(9_980)
  await expect(ends[1]).resolves.toBe('TimeoutError: Asking took longer than 10000 ms')
  clock.advance(1_000_000_000)
  expect(answers.size).toBe(1)
  answers.frame('a')
  await expect(ends[2]).resolves.toBe('A')
  expect(clock.pending).toBe(0)
})

test('a signal ends all that have it and no other, and keeps no listener', async () => {
  const { link, answers } = fakeLink()
  const requests = new Requests(new FakeClock())
  const abort = new AbortController()
  const { signal } = abort
  const what = 'Asking'
  const mine = [1, 2].map(() => requests.run(link, 'ask', is('a'), { what, signal }).catch(String))
  const other = requests.run(link, 'ask', is('b'), { what })
  abort.abort('enough')
  await expect(Promise.all(mine)).resolves.toEqual(Array(2).fill('AbortError: Asking was aborted'))
  expect(getEventListeners(signal, 'abort')).toEqual([])
  answers.frame('b')
  await expect(other).resolves.toBe('B')
})
