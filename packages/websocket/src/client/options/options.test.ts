import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defaults } from './resolve-options.ts'

const source = readFileSync(new URL('options.ts', import.meta.url), 'utf8')

/** What the comments of one interface say after `@default`, by option. */
function documented(name: string): Readonly<Record<string, string>> {
  const body = source.match(new RegExp(`interface ${name} \\{([^]*?)\\n\\}`))?.[1] ?? ''
  const found = body.matchAll(/@default ([^\n]*?)\s+\*\/\n\s+readonly (\w+)\??:/g)
  return Object.fromEntries([...found].map(([, text = '', option = '']) => [option, text]))
}

/** A value as the comments write it. */
function written(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'number' && Number.isFinite(value)
    ? String(value).replaceAll(/\B(?=(\d{3})+$)/g, '_')
    : String(value)
}

describe('the documented default', () => {
  it.each([
    ['TimeoutOptions', defaults.timeouts],
    ['ReconnectOptions', defaults.reconnect],
    ['HeartbeatSettings', defaults.heartbeat],
  ])('of each option of %s is the one that holds', (name, values) => {
    const expected = Object.entries(values).map(([option, value]) => [option, written(value)])
    expect(documented(name)).toMatchObject(Object.fromEntries(expected))
  })

  it('of each plain option of the transport is the one that holds', () => {
    const { whenDisconnected, maxAttempts, highWaterMarkBytes, maxMessageBytes } = defaults
    const { compression, allowInsecure } = defaults
    const plain = {
      whenDisconnected,
      maxAttempts,
      highWaterMarkBytes,
      maxMessageBytes,
      compression,
      allowInsecure,
    }
    const expected = Object.entries(plain).map(([option, value]) => [option, written(value)])
    expect(documented('WebSocketTransportOptions')).toMatchObject(Object.fromEntries(expected))
  })
})
