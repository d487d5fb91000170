/** The options of what a transport tells of itself: names and id on the channels, and a collector. */
import {
  checkOptions,
  func,
  isTelemetryPrefix,
  string,
  withMethods,
  type Check,
  type MetricsCollector,
  type TelemetryOptions,
} from '@bus/core'

/** How one transport is known on `node:diagnostics_channel`. */
export interface TransportTelemetryOptions extends TelemetryOptions {
  /** Carried by everything that this transport tells, to tell it from others. @default a new UUID */
  readonly id?: string | undefined
}

/** Accepts {@link TransportTelemetryOptions}. */
export const checkTelemetry: Check = (path, value) =>
  checkOptions<TransportTelemetryOptions>(path, value, {
    prefix: isTelemetryPrefix,
    id: string({ nonEmpty: true }),
  })

/** Accepts a collector: not an exact shape, for it may be an instance that keeps something to itself. */
export const checkCollector: Check = (path, value) => {
  withMethods()(path, value)
  const collector = value as MetricsCollector
  for (const name of ['onConnection', 'onMessage', 'onError', 'onPublish'] as const) {
    if (collector[name] !== undefined) func(`${path}.${name}`, collector[name])
  }
}

/** With the default prefix; an id that is not given is made by each transport. */
export interface ResolvedTelemetry {
  readonly prefix: string
  readonly id: string | undefined
}

/** Fills in the defaults. */
export function resolveTelemetry({
  prefix = 'bus',
  id,
}: TransportTelemetryOptions = {}): ResolvedTelemetry {
  return Object.freeze({ prefix, id })
}
