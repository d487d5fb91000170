/** Broken on the way out: what is published is lost, doubled, overtaken or not given up. */
import type { Event, PublishOptions, PublishReceipt } from '@bus/core'
import { Wrapped, receiptFor } from './wrapped.ts'

/** Says of every seventh event that it was published, and forgets it. */
export class DropsEverySeventh extends Wrapped {
  #count = 0

  override publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    this.#count++
    if (this.#count % 7 === 0) return Promise.resolve(receiptFor(event))
    return super.publish(event, options)
  }
}

/** Publishes every fifth event twice. */
export class DoublesEveryFifth extends Wrapped {
  #count = 0

  override async publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    this.#count++
    if (this.#count % 5 === 0) await super.publish(event, options)
    return await super.publish(event, options)
  }
}

/** Lets every ninth event be overtaken by those behind it. */
export class Reorders extends Wrapped {
  #count = 0

  override async publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    this.#count++
    if (this.#count % 9 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    return await super.publish(event, options)
  }
}

/** Goes on although its signal is aborted. */
export class IgnoresAbort extends Wrapped {
  override publish(event: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    const { signal: _ignored, ...rest } = options
    return super.publish(event, rest)
  }
}

/** Publishes only after a yield to the event loop, so that a change of the payload behind `publish` goes along. */
export class FixesBytesLate extends Wrapped {
  override async publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    await Promise.resolve()
    return await super.publish(event, options)
  }
}

/** Says that it was published before anybody has taken it. */
export class ConfirmsEarly extends Wrapped {
  override publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    super.publish(event, options).catch(() => {})
    return Promise.resolve(receiptFor(event))
  }
}

/** Takes whatever cannot be written, and does not report that it could not. */
export class SwallowsBadEvents extends Wrapped {
  override async publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    try {
      return await super.publish(event, options)
    } catch {
      return receiptFor(event)
    }
  }
}
