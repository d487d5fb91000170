/** Middleware: functions around publish and around the handlers, composed once. */
import type { Event } from '../contract/event.ts'
import type { Handler, HandlerContext } from '../contract/subscriber.ts'
import type { PublishReceipt } from '../contract/transport.ts'

/** Wraps what the bus does. The first one given is the outermost. */
export interface Middleware {
  /**
   * Around every publish and emit. It may change the event, call `next` later, or refuse by throwing.
   * For `emit`, `next` resolves when the transport has taken the event, and a failure becomes an `error` notice.
   */
  publish?(event: Event, next: (event: Event) => Promise<PublishReceipt>): Promise<PublishReceipt>
  /** Around every handler. What it throws goes to the error policy; not calling `next` means that the event is done. */
  deliver?(
    event: Event,
    next: (event: Event) => void | Promise<void>,
    context: HandlerContext,
  ): void | Promise<void>
}

/** A step on the way of an event to the transport. `call` is handed on unseen. */
export type PublishStep<C> = (event: Event, call: C) => Promise<PublishReceipt>

/** `last` itself where there is no middleware for publish. */
export function aroundPublish<C>(
  middleware: readonly Middleware[],
  last: PublishStep<C>,
): PublishStep<C> {
  return middleware.reduceRight<PublishStep<C>>((next, layer) => {
    const publish = layer.publish?.bind(layer)
    if (publish === undefined) return next
    // Async, so that a layer that throws rejects.
    return async (event, call) => publish(event, (changed) => next(changed, call))
  }, last)
}

/** The handler itself where there is no middleware for deliver. */
export function aroundHandler(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>((next, layer) => {
    const deliver = layer.deliver?.bind(layer)
    if (deliver === undefined) return next
    return (event, context) => deliver(event, (changed) => next(changed, context), context)
  }, handler)
}
