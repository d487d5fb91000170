import { AuthError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import type { Frame } from '../../protocol/protocol.ts'
import { bootstrap, type Link } from './link.ts'
import type { OnOpen } from '../options/options.ts'

function setUp() {
  const log: unknown[] = []
  const send = async (frame: Frame): Promise<void> => void log.push(frame)
  const link = { generation: 3, subprotocol: 'p', send } as unknown as Link
  const { signal } = new AbortController()
  const authenticate = async (): Promise<void> => void log.push('authenticated')
  const run = (onOpen: OnOpen | undefined, protocol = { ...plainJson(), authenticate }) =>
    bootstrap(protocol, link, 2, signal, onOpen, async () => void log.push('restored'))
  return { log, run, signal }
}

describe('bootstrap', () => {
  test('authenticates, sends the frames in order, then restores the subscriptions', async () => {
    const { log, run, signal } = setUp()
    await run((connection) => {
      log.push(connection)
      return ['one', 'two']
    })
    const connection = { generation: 3, attempt: 2, protocol: 'p', signal }
    expect(log).toEqual(['authenticated', connection, 'one', 'two', 'restored'])
  })

  test('does nothing of what is not configured', async () => {
    const { log, run } = setUp()
    await run(undefined, plainJson() as never)
    expect(log).toEqual(['restored'])
  })

  test('stops at the first step that fails, and says which', async () => {
    const { log, run } = setUp()
    const cause = new Error('down')
    await expect(run(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'bootstrap',
      message: 'Sending the bootstrap frames failed',
      cause,
    })
    expect(log).toEqual(['authenticated'])
  })

  test('lets errors of ours through as they are', async () => {
    const { run } = setUp()
    const error = new AuthError('no')
    const protocol = { ...plainJson(), authenticate: () => Promise.reject(error) }
    await expect(run(undefined, protocol)).rejects.toBe(error)
  })

  test.each([[undefined], [null], ['text'], [[1]], [{ 0: 'a' }]])(
    'refuses %j from onOpen',
    async (frames) => {
      const { run } = setUp()
      await expect(run(() => frames as never)).rejects.toMatchObject({ code: 'bootstrap' })
    },
  )
})
