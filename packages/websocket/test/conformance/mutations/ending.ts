/** Mutants that end as they should not. */
import type { Event } from '@bus/core'
import type { Wrong } from './wrong.ts'

/** Ends as it should not. */
export const WRONG_ENDING: readonly Wrong[] = [
  {
    does: 'closes where it should drain',
    mutation: (sound) => ({
      async drain() {
        await sound.close()
        return { unsent: [], unhandled: 0 }
      },
    }),
    noticedBy: {
      H1: /closed|not sent|was sent|deadLetters: 20/,
      H4: /each event that was left is named/,
    },
  },
  {
    does: 'names nothing of what it left',
    mutation: (sound) => ({
      drain: async (options) => ({ ...(await sound.drain(options)), unsent: [] }),
    }),
    noticedBy: { H4: /each event that was left is named/ },
  },
  {
    does: 'drains without an end',
    mutation: (sound) => ({
      drain: (options) =>
        sound.drain({ ...options, timeoutMs: 30_000 }).then(() => new Promise(() => {})),
    }),
    noticedBy: { H2: /the drain to end/, H3: /the drain/ },
  },
  {
    does: 'hears nobody who gives up while there is no link',
    mutation: (sound) => ({
      connect: () => sound.connect({ retry: true }),
      publish: (event: Event) => sound.publish(event),
    }),
    noticedBy: { G9: /every wait to end/ },
  },
  {
    does: 'keeps something of each failed dial',
    mutation: (sound) => {
      const kept: unknown[] = []
      sound.on('status', ({ status }) => {
        if (status.state === 'backoff') kept.push(Array.from({ length: 1_000 }, () => ({})))
      })
      return { health: async (options) => ({ ...(await sound.health(options)), kept }) as never }
    },
    noticedBy: { G8: /bytes are left of each dial/ },
  },
]
