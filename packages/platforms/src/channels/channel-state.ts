/** The state of channel subscriptions as JSON: what survives the process, and what is accepted back. */
import { ConfigError } from '@bus/core'
import { check, checkOptions, type Check } from '@bus/core/kit'
import type { SavedRecord } from './channel-table.ts'
import {
  MAX_HISTORY,
  isLive,
  type ChannelChange,
  type ChannelStatus,
  type ChannelSubscription,
} from './channel-record.ts'

interface SavedState {
  readonly version: 1
  readonly subscriptions: readonly SavedRecord[]
}

const STATUSES: readonly ChannelStatus[] = [
  'pending',
  'confirmed',
  'failed',
  'unsubscribed',
  'expired',
]

const change: Check = check.object<ChannelChange>({
  status: check.required(check.oneOf(STATUSES)),
  at: check.required(check.number({ min: 0 })),
  reason: check.string(),
})

const isWithin = (length: number): boolean => length >= 1 && length <= MAX_HISTORY

const subscription: Check = check.object<SavedRecord>({
  id: check.required(check.string({ nonEmpty: true })),
  channel: check.required(check.string({ nonEmpty: true })),
  history: check.required((path, value) => {
    check.arrayOf(change)(path, value)
    const form = `to hold 1 to ${MAX_HISTORY} steps`
    check.where(form, (list) => isWithin((list as readonly unknown[]).length))(path, value)
  }),
})

/** The text that {@link parseState} reads. */
export function formatState(subscriptions: readonly ChannelSubscription[]): string {
  const saved = subscriptions.map(({ id, channel, history }) => ({ id, channel, history }))
  return JSON.stringify({ version: 1, subscriptions: saved } satisfies SavedState)
}

/** @throws `ConfigError` that names what is wrong */
export function parseState(json: string): readonly SavedRecord[] {
  const state = parse(json)
  checkOptions<SavedState>('state', state, {
    version: check.required(check.oneOf([1])),
    subscriptions: check.required(check.arrayOf(subscription)),
  })
  const { subscriptions } = state as SavedState
  const ids = new Set<string>()
  const wanted = new Set<string>()
  for (const [i, { id, channel, history }] of subscriptions.entries()) {
    once(`state.subscriptions[${i}].id`, id, ids)
    const last = history.at(-1)
    if (last !== undefined && isLive(last.status)) {
      once(`state.subscriptions[${i}].channel`, channel, wanted)
    }
  }
  return subscriptions
}

function parse(json: unknown): unknown {
  if (typeof json !== 'string') throw ConfigError.expected('state', 'to be JSON text', json)
  try {
    return JSON.parse(json) as unknown
  } catch (cause) {
    throw new ConfigError('state', 'Expected `state` to be JSON text', { cause })
  }
}

function once(path: string, value: string, seen: Set<string>): void {
  if (seen.has(value)) throw ConfigError.expected(path, 'to be there once', value)
  seen.add(value)
}
