/** The error of several connections of which none is ready. */
import { BusError } from '@bus/core'

/** No connection of several is ready. */
export class NoConnectionsError extends BusError {
  override name: string = 'NoConnectionsError'
  readonly code = 'no-connections'
  readonly category = 'transient'
}
