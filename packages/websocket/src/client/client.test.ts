import { getEventListeners } from 'node:events'
import {
  ConnectionError,
  createEvent,
  type BreakerOptions,
  type PublishReceipt,
  type TransportEvents,
} from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serve, until } from '../../test/harness.ts'
import { Client } from './client.ts'
import { resolveOptions } from './options/resolve-options.ts'
import { WebSocketTransport } from './websocket-transport.ts'

/** A port on which nothing listens. */
const NOWHERE = 'ws://127.0.0.1:1/'

interface Settings {
  readonly url?: string
  readonly whenDisconnected?: 'queue' | 'reject'
  readonly breaker?: BreakerOptions
  readonly reconnect?: false
}

function setUp({ url = NOWHERE, ...settings }: Settings = {}) {
  const errors: TransportEvents['error'][] = []
  const owner = {
    emit: <K extends keyof TransportEvents>(name: K, event: TransportEvents[K]): void => {
      if (name === 'error') errors.push(event as TransportEvents['error'])
    },
    clear: (): void => {},
  }
  const client = new Client(resolveOptions({ url, ...settings }), owner)
  onTestFinished(() => client.close({}))
  const publish = (): Promise<PublishReceipt> => client.publish(createEvent('a', 1), {})
  return { client, publish, errors }
}

describe('publishing', () => {
  test('waits for a link while it may, also while the breaker is open', async () => {
    const { client, publish } = setUp({ breaker: {} })
    client.breaker?.trip()
    const published = publish()
    expect(client.backpressureStats().size).toBe(1)
    await client.close({})
    await expect(published).rejects.toMatchObject({ code: 'closed', outcome: 'not-sent' })
  })

  test('without a queue is refused unless there is a link, with the reason', async () => {
    const server = await serve()
    const ready = setUp({ url: server.url, whenDisconnected: 'reject' })
    await ready.client.connect({})
    await expect(ready.publish()).resolves.toMatchObject({ status: 'sent' })
    const { client, publish } = setUp({ whenDisconnected: 'reject', breaker: { openMs: 1 } })
    await expect(publish()).rejects.toMatchObject({ code: 'disconnected' })
    client.breaker?.trip()
    await expect(publish()).rejects.toMatchObject({ code: 'circuit-open' })
    await until(() => client.breaker?.state === 'half-open', 'the breaker to be half-open')
    await expect(publish()).rejects.toMatchObject({ code: 'disconnected' })
  })

  test('is refused while the client drains, and when it is closed', async () => {
    const { client, publish } = setUp()
    const drained = client.drain({})
    await expect(publish()).rejects.toMatchObject({ code: 'draining', outcome: 'not-sent' })
    await drained
    const closed = client.close({})
    await client.drain({})
    await expect(publish()).rejects.toMatchObject({ code: 'closed', outcome: 'not-sent' })
    expect([client.isClosed, client.ended?.code]).toEqual([true, 'closed'])
    await closed
  })

  test('names why the client has closed by itself', async () => {
    const { client, publish } = setUp({ reconnect: false })
    await expect(client.connect({})).rejects.toBeInstanceOf(ConnectionError)
    await client.close({})
    await expect(publish()).rejects.toMatchObject({
      code: 'closed',
      cause: expect.any(ConnectionError) as unknown,
    })
  })
})

describe('a listener of a transport', () => {
  test('that throws is reported as an error, unless it listens to errors', async () => {
    const transport = new WebSocketTransport({ url: NOWHERE })
    const errors: TransportEvents['error'][] = []
    transport.on('error', (event) => void errors.push(event))
    transport.on('error', () => {
      throw new Error('again')
    })
    transport.on('status', () => {
      throw new Error('mine')
    })
    transport.on('status', () => {
      throw 'a string'
    })
    await transport.close()
    expect(errors).toMatchObject([
      { kind: 'listener', error: { message: 'mine' } },
      { kind: 'listener', error: { message: 'a string' } },
    ])
  })

  test('is not called after the transport was closed, and leaves nothing on its signal', async () => {
    const transport = new WebSocketTransport({ url: NOWHERE })
    const { signal } = new AbortController()
    const heard: unknown[] = []
    transport.on('status', () => void heard.push(1), { signal })
    await transport.close()
    {
      using late = transport.on('status', () => void heard.push(2), { signal })
      late()
    }
    await transport.close()
    expect(heard).toEqual([1])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
