/** The connectivity check: whether a server can be reached with these options, before anything depends on it. */
import type { WaitOptions } from '@bus/core'
import { check, checkOptions, withDeadline } from '@bus/core/kit'

/** How long the check may take, and what ends it. */
export interface ConnectivityOptions extends WaitOptions {
  /** Milliseconds for all of it: connecting, authenticating, `onOpen`, closing. @default 10_000 */
  readonly timeoutMs?: number | undefined
}

/** What is checked: something that connects once, and is thrown away. */
export interface Probe {
  connect(options: { readonly signal: AbortSignal }): Promise<void>
  close(): Promise<void>
}

/**
 * Connects and closes.
 *
 * @param dial - makes what is to be connected; called once the options are checked
 * @throws what connecting failed with, `TimeoutError` or `AbortedError`.
 */
export async function checkConnectivity(
  dial: () => Probe,
  options: ConnectivityOptions = {},
): Promise<void> {
  checkOptions<ConnectivityOptions>('', options, {
    timeoutMs: check.durationMs({ min: 1 }),
    signal: check.abortSignal,
  })
  const { timeoutMs = 10_000, signal } = options
  const probe = dial()
  try {
    const limits = { timeoutMs, signal, what: 'The connectivity check' }
    await withDeadline((inner) => probe.connect({ signal: inner }), limits)
  } finally {
    await probe.close()
  }
}
