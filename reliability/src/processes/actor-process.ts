/** The process of an actor. */
import type { DrainReport } from '@bus/core'
import { stall } from '../process/stall.ts'
import { serve } from '../process/serve.ts'
import { Actor, type ActorOrder, type Fates, type Notices } from './actor.ts'

/** What it can be asked. */
export interface ActorDuties {
  readonly enter: (order: ActorOrder) => void
  readonly connect: () => Promise<void>
  readonly dial: () => void
  readonly subscribe: (options: { readonly hangAt?: number }) => Promise<void>
  readonly publish: (count: number) => void
  readonly publishUnheard: () => void
  readonly emit: () => boolean
  readonly fates: () => Fates
  readonly handled: () => readonly number[]
  readonly notices: () => Notices
  readonly drainOnSigterm: () => Promise<DrainReport>
  readonly drain: (options: { readonly timeoutMs?: number }) => Promise<DrainReport>
  readonly close: () => Promise<void>
  /** Does nothing else for so many milliseconds. */
  readonly stall: (ms: number) => void
  /** Lets go of the run, so that the process ends when nothing else holds it. */
  readonly letGo: () => void
}

function newDuties(letGo: () => void): ActorDuties {
  let made: Actor | undefined
  const actor = (): Actor => {
    if (made === undefined) throw new Error('The actor has not entered yet')
    return made
  }
  return {
    enter: (order) => void (made = new Actor(order)),
    connect: () => actor().connect(),
    dial: () => actor().dial(),
    subscribe: (options) => actor().subscribe(options),
    publish: (count) => actor().publish(count),
    publishUnheard: () => actor().publishUnheard(),
    emit: () => actor().emit(),
    fates: () => actor().fates(),
    handled: () => actor().handled(),
    notices: () => actor().notices(),
    drainOnSigterm: () => actor().drainOnSigterm(),
    drain: (options) => actor().drain(options),
    close: () => actor().close(),
    stall,
    letGo,
  }
}

const letGo: () => void = serve(newDuties(() => letGo()))
