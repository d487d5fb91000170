/** Connecting several transports, of which one is enough. */
import { AbortedError, type ConnectOptions, type Transport } from '@bus/core'
import { NoConnectionsError } from './no-connections-error.ts'

/** Resolves when the first is ready. @throws `NoConnectionsError` when all have failed, `AbortedError` by the signal. */
export async function connectAny(
  transports: readonly Transport[],
  options: ConnectOptions,
): Promise<void> {
  try {
    await Promise.any(transports.map((transport) => transport.connect(options)))
  } catch (cause) {
    const { signal } = options
    if (signal?.aborted === true) throw new AbortedError('Connecting', { cause: signal.reason })
    const message = `None of ${transports.length} connections could be made`
    throw new NoConnectionsError(message, { cause })
  }
}
