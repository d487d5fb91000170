/** Mutants that lose, double or hold what they publish. */
import {
  AbortedError,
  RejectedError,
  type Event,
  type PublishOptions,
  type PublishReceipt,
  type Transport,
} from '@bus/core'
import type { Mutation } from '../mutant.ts'
import type { Wrong } from './wrong.ts'

/** Loses, doubles or holds what it publishes. */
export const WRONG_PUBLISHING: readonly Wrong[] = [
  {
    does: 'confirms everything and sends six of seven',
    mutation: (sound) => {
      let count = 0
      return {
        publish: (event: Event, options?: PublishOptions) =>
          ++count % 7 === 0 ? Promise.resolve(receiptOf(event)) : sound.publish(event, options),
      }
    },
    noticedBy: { E1: /200 events/, H1: /300 events/, G3: /did not|is missing/ },
  },
  {
    does: 'resolves without a link, and drops the event',
    mutation: publishing((event, options, sound) =>
      sound.status.state === 'ready' || sound.status.state === 'idle'
        ? sound.publish(event, options)
        : Promise.resolve(receiptOf(event)),
    ),
    noticedBy: { E2: /everything that resolved/, G3: /is missing|did not/ },
  },
  {
    does: 'publishes anew what was not confirmed when the link broke',
    mutation: publishing(async (event, options, sound) => {
      const stop = sound.on('close', () => void sound.publish(event).catch(() => {}))
      try {
        return await sound.publish(event, options)
      } finally {
        stop()
      }
    }),
    noticedBy: { E4: /as many events as were published/ },
  },
  {
    does: 'refuses what nobody is subscribed to',
    mutation: (sound, all) => ({
      publish: (event: Event, options?: PublishOptions) =>
        all.length > 1
          ? sound.publish(event, options)
          : Promise.reject(new RejectedError('Nobody wants it')),
    }),
    noticedBy: { E6: /Nobody wants it/ },
  },
  {
    does: 'forgets who waits next when somebody gives up',
    mutation: (sound) => {
      let isForgetting = false
      return {
        publish(event: Event, options: PublishOptions = {}) {
          options.signal?.addEventListener('abort', () => (isForgetting = true))
          if (!isForgetting) return sound.publish(event, options)
          isForgetting = false
          return new Promise<PublishReceipt>(() => {})
        },
      }
    },
    noticedBy: { F3: /every publish to settle/ },
  },
  {
    does: 'sends what its publisher has given up',
    mutation: publishing((event, { signal, ...options }, sound) => {
      const sent = sound.publish(event, options)
      if (signal === undefined) return sent
      sent.catch(() => {})
      return new Promise((resolve, reject) => {
        const giveUp = (): void => reject(new AbortedError('It', { outcome: 'not-sent' }))
        if (signal.aborted) giveUp()
        signal.addEventListener('abort', giveUp)
        sent.then(resolve, reject)
      })
    }),
    noticedBy: { F3: /gave up in time is not sent/ },
  },
  {
    does: 'takes everything at once, whatever is free',
    mutation: publishing((event, options, sound) => {
      sound.publish(event, options).catch(() => {})
      return Promise.resolve(receiptOf(event))
    }),
    noticedBy: { F7: /not every publish succeeds/ },
  },
  {
    does: 'waits for the slowest of all before it confirms',
    mutation: (sound, all) => ({
      async publish(event: Event, options?: PublishOptions) {
        await Promise.all(all.map((one) => one.health({ probe: true, timeoutMs: 30_000 })))
        return await sound.publish(event, options)
      },
    }),
    noticedBy: { F5: /although one subscriber is frozen/ },
  },
]

function receiptOf({ id }: Event): PublishReceipt {
  return { id, status: 'confirmed', attempts: 1 }
}

/** Publishes otherwise. */
function publishing(
  publish: (event: Event, options: PublishOptions, sound: Transport) => Promise<PublishReceipt>,
): Mutation {
  return (sound) => ({
    publish: (event: Event, options: PublishOptions = {}) => publish(event, options, sound),
  })
}
