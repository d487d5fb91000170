import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import type { ConnectionWatch } from './connection-watch.ts'
import { resolveOptions } from './resolve-options.ts'

const secret = {
  url: 'wss://host/path?token=canary&x=canary',
  headers: { Authorization: 'Bearer canary', 'x-plain': 'canary' },
  tls: { ca: 'canary', cert: 'canary', key: 'canary', servername: 'name' },
}

describe('printed options', () => {
  it('show no header value, no query value and no key, however they are printed', () => {
    const options = resolveOptions(secret)
    const prints = [
      JSON.stringify(options),
      inspect(options, { depth: 9 }),
      inspect({ nested: options }, { depth: 9 }),
    ]
    expect(prints.join('\n')).not.toContain('canary')
    expect(prints[0]).toContain('"url":"wss://host/path?token=[redacted]&x=[redacted]"')
    expect(prints[0]).toContain('"Authorization":"[redacted]","x-plain":"[redacted]"')
    expect(prints[0]).toContain('"servername":"name"')
  })

  it('hold no mark of redaction when there is nothing to hide', () => {
    const printed = JSON.stringify(resolveOptions({ url: 'ws://host' }))
    expect(printed).not.toContain('redacted')
    expect(JSON.parse(printed)).toMatchObject({
      url: 'ws://host/',
      protocol: 'bus.v1',
      headers: {},
      reconnect: { backoff: '[function]', maxAttempts: 'Infinity' },
      queue: { capacity: 1_000 },
    })
  })

  it('hold nothing of a collector, which may be a circle', () => {
    const metrics: Record<string, unknown> = { secret: 'canary' }
    metrics['self'] = metrics
    const printed = JSON.stringify(resolveOptions({ url: 'ws://host', metrics }))
    expect(printed).toContain('"metrics":"collector"')
    expect(printed).not.toContain('canary')
  })

  it('show nothing of what watches the connections', () => {
    const watch = { watch: vi.fn<() => ConnectionWatch>(), secret: 'canary' }
    const printed = JSON.stringify(resolveOptions({ url: 'ws://host', watch }))
    expect(printed).toContain('"watch":"watcher"')
    expect(printed).not.toContain('canary')
  })

  it('say that headers are made by a function, without calling it', () => {
    const headers = vi.fn<() => Record<string, string>>()
    const printed = JSON.stringify(resolveOptions({ url: 'ws://host', headers }))
    expect(printed).toContain('"headers":"[function]"')
    expect(headers).not.toHaveBeenCalled()
  })
})
