/** Mutants that say what is not so, or not what is. */
import type { TransportEvents } from '@bus/core'
import type { Mutation } from '../mutant.ts'
import type { Wrong } from './wrong.ts'

/** Says what is not so, or not what is. */
export const WRONG_REPORTING: readonly Wrong[] = [
  {
    does: 'tells no gap',
    mutation: intercept('gap', () => {}),
    noticedBy: { G3: /no gap was reported/ },
  },
  {
    does: 'tells a gap late',
    mutation: intercept('gap', (gap, notify) => void setTimeout(() => notify(gap), 300)),
    noticedBy: { G3: /no gap was reported/ },
  },
  {
    does: 'tells a gap after each break, to be on the safe side',
    mutation: (sound) => ({
      on(name, listener, options) {
        if (name === 'gap') {
          const notify = listener as (notice: TransportEvents['gap']) => void
          sound.on('open', () => notify({ from: 1, to: 1, reason: 'overrun', patterns: ['>'] }))
        }
        return sound.on(name, listener, options)
      },
    }),
    noticedBy: { G5: /nothing that was subscribed is lost/ },
  },
  {
    does: 'tells nothing of bad frames',
    mutation: intercept('error', () => {}),
    noticedBy: { G10: /the bad frame to be reported/ },
  },
  {
    does: 'counts attempts anew as soon as there is a link',
    mutation: intercept('status', ({ status, previous }, notify) => {
      notify({ status: status.state === 'backoff' ? { ...status, attempt: 1 } : status, previous })
    }),
    noticedBy: { G7: /the attempts counted 1,1,1,1/ },
  },
  {
    does: 'waits as long as everybody else',
    mutation: intercept('status', ({ status, previous }, notify) => {
      notify({ status: status.state === 'backoff' ? { ...status, delayMs: 50 } : status, previous })
    }),
    noticedBy: { G7: /of the delays are the same/ },
  },
]

/** Changes the notices of one name before their listener gets them. */
function intercept<N extends keyof TransportEvents>(
  changed: N,
  change: (notice: TransportEvents[N], notify: (notice: TransportEvents[N]) => void) => void,
): Mutation {
  return (sound) => ({
    on(name, listener, options) {
      if (name !== (changed as string)) return sound.on(name, listener, options)
      const notify = listener as unknown as (notice: TransportEvents[N]) => void
      return sound.on(changed, (notice) => change(notice, notify), options)
    },
  })
}
