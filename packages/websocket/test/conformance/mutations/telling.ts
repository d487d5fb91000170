/** Mutants that say what is not so, or not what is. */
import type { TransportEvents } from '@bus/core'
import type { Mutation } from '../mutant.ts'
import type { Wrong } from './wrong.ts'

/** Says what is not so, or not what is. */
export const WRONG_TELLING: readonly Wrong[] = [
  {
    does: 'tells no gap',
    mutation: telling('gap', () => {}),
    noticedBy: { G3: /no gap was reported/ },
  },
  {
    does: 'tells a gap late',
    mutation: telling('gap', (gap, tell) => void setTimeout(() => tell(gap), 300)),
    noticedBy: { G3: /no gap was reported/ },
  },
  {
    does: 'tells a gap after each break, to be on the safe side',
    mutation: (sound) => ({
      on(name, listener, options) {
        if (name === 'gap') {
          const tell = listener as (notice: TransportEvents['gap']) => void
          sound.on('open', () => tell({ from: 1, to: 1, reason: 'overrun', patterns: ['>'] }))
        }
        return sound.on(name, listener, options)
      },
    }),
    noticedBy: { G5: /nothing that was subscribed is lost/ },
  },
  {
    does: 'tells nothing of bad frames',
    mutation: telling('error', () => {}),
    noticedBy: { G10: /the bad frame to be reported/ },
  },
  {
    does: 'counts attempts anew as soon as there is a link',
    mutation: telling('status', ({ status, previous }, tell) => {
      tell({ status: status.state === 'backoff' ? { ...status, attempt: 1 } : status, previous })
    }),
    noticedBy: { G7: /the attempts counted 1,1,1,1/ },
  },
  {
    does: 'waits as long as everybody else',
    mutation: telling('status', ({ status, previous }, tell) => {
      tell({ status: status.state === 'backoff' ? { ...status, delayMs: 50 } : status, previous })
    }),
    noticedBy: { G7: /of the delays are the same/ },
  },
]

/** Tells the notices of one name otherwise. */
function telling<N extends keyof TransportEvents>(
  changed: N,
  change: (notice: TransportEvents[N], tell: (notice: TransportEvents[N]) => void) => void,
): Mutation {
  return (sound) => ({
    on(name, listener, options) {
      if (name !== (changed as string)) return sound.on(name, listener, options)
      const tell = listener as unknown as (notice: TransportEvents[N]) => void
      return sound.on(changed, (notice) => change(notice, tell), options)
    },
  })
}
