/** GitHub's example webhook deliveries: large events with deep payloads. */
import { createRequire } from 'node:module'
import { toJson } from './wire-event.ts'
import type { Workload } from './workload.ts'

interface Definition {
  readonly name: string
  readonly examples: readonly Delivery[]
}

interface Delivery {
  readonly action?: string
  readonly sender?: { readonly id: number }
}

/** The workload of large events: every example in turn, again and again. */
export function githubDeliveries(): Workload {
  const require = createRequire(import.meta.url)
  const definitions = require('@octokit/webhooks-examples') as readonly Definition[]
  const deliveries = definitions.flatMap(({ name, examples }) =>
    examples.map((payload) => ({ type: typeOf(name, payload.action), payload })),
  )
  const message: Workload['message'] = (sequence) => {
    const delivery = deliveries[sequence % deliveries.length]
    if (delivery === undefined) throw new RangeError('There are no example deliveries')
    return { ...delivery, sequence }
  }
  const bytes = deliveries.map((_, i) => Buffer.byteLength(toJson(message(i))))
  return Object.freeze({
    name: 'github',
    subject: 'github.delivery',
    pattern: 'github.>',
    meanBytes: Math.round(bytes.reduce((sum, one) => sum + one, 0) / bytes.length),
    message,
    read: (payload: unknown) => (payload as Delivery).sender?.id ?? 0,
  } satisfies Workload)
}

function typeOf(name: string, action: string | undefined): string {
  const tokens = action === undefined ? [name] : [name, action]
  return ['github', ...tokens.map((token) => token.replaceAll(/[^\w-]/g, '-'))].join('.')
}
