/** Mutants that deliver what they should not, or not what they should. */
import type { Event } from '@bus/core'
import { mutatedFeed } from '../mutant.ts'
import type { Wrong } from './wrong.ts'

/** Milliseconds for which an event waits for the one behind it, with which it is swapped. */
const SWAP_MS = 50

/** Delivers what it should not, or not what it should. */
export const WRONG_DELIVERY: readonly Wrong[] = [
  {
    does: 'delivers the last event again after each break',
    mutation: mutatedFeed((sink, sound) => {
      let last: [Event, number] | undefined
      sound.on('open', ({ reconnected }) => {
        if (reconnected && last !== undefined) sink.deliver(...last)
      })
      return {
        sink: { deliver: (event, token) => sink.deliver(...(last = [event, token])) },
      }
    }),
    noticedBy: {
      G1: /as many events/,
      G2: /as many events/,
      G3: /came twice/,
      G13: /as many events/,
    },
  },
  {
    does: 'forgets its subscriptions with the link',
    mutation: mutatedFeed((sink, sound) => {
      let isForgotten = false
      sound.on('close', () => (isForgotten = true))
      return { sink: { deliver: (event, token) => isForgotten || sink.deliver(event, token) } }
    }),
    noticedBy: {
      G1: /after break 1/,
      G2: /events/,
      G4: /in break 1/,
      G6: /1 events/,
      G8: /1 events/,
    },
  },
  {
    does: 'resumes only for who has received something',
    mutation: mutatedFeed((sink, sound) => {
      let [hasReceived, isBack] = [false, false]
      sound.on('close', () => (isBack = true))
      return {
        sink: {
          deliver(event, token) {
            if (isBack && !hasReceived) return true
            hasReceived = true
            return sink.deliver(event, token)
          },
        },
      }
    }),
    noticedBy: { G4: /in break 1/ },
  },
  {
    does: 'swaps neighbours now and then',
    mutation: mutatedFeed((sink) => {
      let [count, held] = [0, undefined as [Event, number] | undefined]
      const letGo = (): void => {
        if (held !== undefined) sink.deliver(...held)
        held = undefined
      }
      return {
        sink: {
          deliver(event, token) {
            if (++count % 50 === 7) {
              held = [event, token]
              // The last one has no neighbour, and nothing is to be lost.
              setTimeout(letGo, SWAP_MS).unref()
              return true
            }
            const hasRoom = sink.deliver(event, token)
            letGo()
            return hasRoom
          },
        },
      }
    }),
    noticedBy: { G14: /came after/, E1: /Expected values/, F1: /Expected values/ },
  },
  {
    does: 'acknowledges before the handler has ended',
    mutation: mutatedFeed((sink) => {
      const early: { settle: (token: number) => void } = { settle: () => {} }
      return {
        sink: {
          deliver(event, token) {
            queueMicrotask(() => early.settle(token))
            return sink.deliver(event, token)
          },
        },
        feed(feed) {
          early.settle = (token) => feed.settle(token)
          return { settle: () => {} }
        },
      }
    }),
    noticedBy: { F1: /waited for the handler at once/, F6: /came to a subscription/ },
  },
  {
    does: 'waits for each event to be handled before it delivers the next',
    mutation: mutatedFeed((sink) => {
      const waiting: [Event, number][] = []
      let isBusy = false
      const next = (): void => {
        const one = isBusy ? undefined : waiting.shift()
        if (one === undefined) return
        isBusy = true
        sink.deliver(...one)
      }
      return {
        sink: { deliver: (event, token) => (waiting.push([event, token]), next(), true) },
        feed: (feed) => ({
          settle(token) {
            feed.settle(token)
            isBusy = false
            queueMicrotask(next)
          },
        }),
      }
    }),
    noticedBy: { F2: /everything to arrive/, F4: /everything to arrive/ },
  },
  {
    does: 'ends a subscription only when there is room for what waits',
    mutation: mutatedFeed((sink) => {
      let isHeld = false
      return {
        sink: { deliver: (event, token) => ((isHeld = !sink.deliver(event, token)), !isHeld) },
        feed: (feed) => ({
          ready: () => ((isHeld = false), feed.ready()),
          unsubscribe: () => (isHeld ? new Promise(() => {}) : feed.unsubscribe()),
        }),
      }
    }),
    noticedBy: { F8: /to be unsubscribed/ },
  },
]
