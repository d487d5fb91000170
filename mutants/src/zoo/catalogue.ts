/** The catalogue of the zoo. */
import * as lifecycle from './lifecycle.ts'
import * as payloads from './payloads.ts'
import * as publishing from './publishing.ts'
import * as subscribing from './subscribing.ts'
import type { Transport } from '@bus/core'
import type { Breaking, ZooAnimal } from './zoo-animal.ts'

/** Each transport is broken alone. */
function each(Broken: new (inner: Transport) => Transport): () => Breaking {
  return () => (inner) => new Broken(inner)
}

/** Every broken transport. */
export const ZOO: readonly ZooAnimal[] = [
  {
    name: 'drops-every-seventh',
    bug: 'says that it has published an event, and forgets it',
    breaks: each(publishing.DropsEverySeventh),
    caughtBy: ['B1', 'C1', 'C5'],
  },
  {
    name: 'doubles-every-fifth',
    bug: 'publishes some events twice',
    breaks: each(publishing.DoublesEveryFifth),
    caughtBy: ['B1', 'C5'],
  },
  {
    name: 'reorders',
    bug: 'lets an event be overtaken by those behind it',
    breaks: each(publishing.Reorders),
    caughtBy: ['C1'],
  },
  {
    name: 'ignores-abort',
    bug: 'goes on although the signal of a publish is aborted',
    breaks: each(publishing.IgnoresAbort),
    caughtBy: ['A7'],
  },
  {
    name: 'fixes-bytes-late',
    bug: 'sends a payload as it is later, and not as it was published',
    breaks: each(publishing.FixesBytesLate),
    caughtBy: ['B12'],
  },
  {
    name: 'confirms-early',
    bug: 'says that an event was taken over before it was',
    breaks: each(publishing.ConfirmsEarly),
    caughtBy: ['E1'],
  },
  {
    name: 'swallows-bad-events',
    bug: 'takes what cannot be written, and says nothing',
    breaks: each(publishing.SwallowsBadEvents),
    caughtBy: ['A8'],
  },
  {
    name: 'shares-one-reader',
    bug: 'gives an event to one of two subscriptions of a client',
    breaks: each(subscribing.SharesOneReader),
    caughtBy: ['B3'],
  },
  {
    name: 'delivers-after-unsubscribe',
    bug: 'goes on delivering to a subscription that has ended',
    breaks: each(subscribing.DeliversAfterUnsubscribe),
    caughtBy: ['B6'],
  },
  {
    name: 'unsubscribes-neighbours',
    bug: 'ends every subscription of the same patterns with one of them',
    breaks: each(subscribing.UnsubscribesNeighbours),
    caughtBy: ['B6'],
  },
  {
    name: 'live-too-early',
    bug: 'says that a subscription is live before it is',
    breaks: each(subscribing.LiveTooEarly),
    caughtBy: ['B8'],
  },
  {
    name: 'delivers-per-pattern',
    bug: 'delivers an event once for each of the patterns that match',
    breaks: each(subscribing.DeliversPerPattern),
    caughtBy: ['B9'],
  },
  {
    name: 'star-takes-all',
    bug: 'takes `*` for any number of tokens',
    breaks: each(subscribing.StarTakesAll),
    caughtBy: ['B9'],
  },
  {
    name: 'ignores-case',
    bug: 'takes types for the same that differ in case',
    breaks: each(subscribing.IgnoresCase),
    caughtBy: ['B2'],
  },
  {
    name: 'ignores-full-sinks',
    bug: 'goes on delivering to a subscription that has asked to wait',
    breaks: each(subscribing.IgnoresFullSinks),
    caughtBy: ['F1'],
  },
  {
    name: 'forgets-echo',
    bug: 'promises a client its own events, and keeps them from it',
    breaks: each(subscribing.ForgetsEcho),
    caughtBy: ['B5'],
  },
  {
    name: 'shares-payloads',
    bug: 'gives every subscription the same payload to change',
    breaks: payloads.sharingPayloads,
    caughtBy: ['B12'],
  },
  {
    name: 'loses-unicode',
    bug: 'loses what is no ASCII',
    breaks: each(payloads.LosesUnicode),
    caughtBy: ['B10'],
  },
  {
    name: 'loses-null',
    bug: 'takes `null` for nothing',
    breaks: each(payloads.LosesNull),
    caughtBy: ['B10'],
  },
  {
    name: 'renames-events',
    bug: 'gives each event a new id',
    breaks: each(payloads.RenamesEvents),
    caughtBy: ['B1'],
  },
  {
    name: 'loses-attributes',
    bug: 'loses the attributes of the metadata',
    breaks: each(payloads.LosesAttributes),
    caughtBy: ['B1'],
  },
  {
    name: 'closes-once',
    bug: 'fails when it is closed twice',
    breaks: each(lifecycle.ClosesOnce),
    caughtBy: ['A4'],
  },
  {
    name: 'leaves-a-timer',
    bug: 'leaves a timer behind when it is closed',
    breaks: each(lifecycle.LeavesATimer),
    caughtBy: ['A6'],
  },
  {
    name: 'delivers-after-close',
    bug: 'says that it is closed, and is not',
    breaks: each(lifecycle.DeliversAfterClose),
    caughtBy: ['A5'],
  },
  {
    name: 'closes-others',
    bug: 'takes the others of its medium along when it closes',
    breaks: lifecycle.closingOthers,
    caughtBy: ['A10'],
  },
  {
    name: 'forgets-the-outbox',
    bug: 'throws away what was accepted when it drains, and calls that clean',
    breaks: each(lifecycle.ForgetsTheOutbox),
    caughtBy: ['H1'],
  },
  {
    name: 'tells-no-status',
    bug: 'does not say that its state has changed',
    breaks: each(lifecycle.TellsNoStatus),
    caughtBy: ['A3'],
  },
  {
    name: 'changes-its-mind',
    bug: 'promises other things each time it is asked',
    breaks: each(lifecycle.ChangesItsMind),
    caughtBy: ['A1'],
  },
  {
    name: 'promises-bytes',
    bug: 'promises to carry bytes, and carries something else',
    breaks: each(lifecycle.PromisesBytes),
    caughtBy: ['B11'],
  },
]
