/** Validation of what is received, before any handler or middleware sees it. */
import type { Event } from '../contract/event.ts'
import { validateEventually } from '../contract/schema.ts'
import type { Handler } from '../contract/subscriber.ts'
import type { ResolvedBusOptions } from './bus-options.ts'
import type { SubscriptionHost } from './subscription-host.ts'
import { asError } from './thrown.ts'

/**
 * The handler itself, unless payloads are validated on receipt. What a schema does not accept is no failure of the
 * handler: it becomes a dead letter with reason `undecodable`, and the subscription goes on.
 */
export function validatingHandler(
  { schemas, validate }: Pick<ResolvedBusOptions, 'schemas' | 'validate'>,
  host: Pick<SubscriptionHost, 'giveUp'>,
  handler: Handler,
): Handler {
  if (schemas === undefined || validate !== 'both') return handler
  const refuse = (event: Event, thrown: unknown): void => {
    const error = asError(thrown)
    const reason = 'undecodable'
    // Not stored means not settled: the error policy reports it.
    if (!host.giveUp({ reason, direction: 'inbound', error, attempts: 0, event })) throw error
  }
  return (event, context) => {
    const schema = schemas.get(event.type)
    if (schema === undefined) return handler(event, context)
    let payload: unknown
    try {
      payload = validateEventually(schema, event.type, event.payload)
    } catch (error) {
      return refuse(event, error)
    }
    if (!(payload instanceof Promise)) return handler(withPayload(event, payload), context)
    return payload.then(
      (valid) => handler(withPayload(event, valid), context),
      (error: unknown) => refuse(event, error),
    )
  }
}

function withPayload(event: Event, payload: unknown): Event {
  return payload === event.payload ? event : Object.freeze({ ...event, payload })
}
