/** Broken in what arrives: payloads that are shared or changed. */
import type { Event, Feed, FeedOptions, Sink, Transport } from '@bus/core'
import { Wrapped } from './wrapped.ts'
import type { Breaking } from './zoo-animal.ts'

/** Changes each event on its way to a sink. */
abstract class Changing extends Wrapped {
  override subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    const changing: Sink = { deliver: (event, token) => sink.deliver(this.change(event), token) }
    return super.subscribe(patterns, changing, options)
  }

  protected abstract change(event: Event): Event
}

/** Gives every subscription of every client of the medium the same payload. */
class SharesPayloads extends Changing {
  readonly #payloads: Map<string, unknown>

  constructor(inner: Transport, payloads: Map<string, unknown>) {
    super(inner)
    this.#payloads = payloads
  }

  protected override change(event: Event): Event {
    if (!this.#payloads.has(event.id)) this.#payloads.set(event.id, event.payload)
    return { ...event, payload: this.#payloads.get(event.id) }
  }
}

/** {@link SharesPayloads} */
export function sharingPayloads(): Breaking {
  const payloads = new Map<string, unknown>()
  return (sound) => new SharesPayloads(sound, payloads)
}

/** Loses what is no ASCII. */
export class LosesUnicode extends Changing {
  protected override change(event: Event): Event {
    const written = JSON.stringify(event.payload) as string | undefined
    const text = written?.replaceAll(/[\u0080-\uffff]/g, '?')
    return text === undefined ? event : { ...event, payload: JSON.parse(text) as unknown }
  }
}

/** Takes `null` for nothing. */
export class LosesNull extends Changing {
  protected override change(event: Event): Event {
    return event.payload === null ? { ...event, payload: undefined } : event
  }
}

/** Gives each event a new id. */
export class RenamesEvents extends Changing {
  protected override change(event: Event): Event {
    return { ...event, id: `${event.id}-again` }
  }
}

/** Loses the attributes of the metadata. */
export class LosesAttributes extends Changing {
  protected override change(event: Event): Event {
    return { ...event, metadata: { timestamp: event.metadata.timestamp } }
  }
}
