import { ClosedError, ConnectionError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { Readiness } from './lifecycle.ts'

const failed = new ConnectionError('failed')
const closed = new ClosedError('closed')

describe('a wait for the connection', () => {
  test('ends with ready, for all waits', async () => {
    const readiness = new Readiness()
    const waits = [readiness.wait({}), readiness.wait({ retry: true })]
    readiness.ready()
    await expect(Promise.all(waits)).resolves.toEqual([undefined, undefined])
  })

  test('ends with a failed attempt, unless it is to go on', async () => {
    const readiness = new Readiness()
    const once = readiness.wait({})
    const patient = readiness.wait({ retry: true })
    readiness.attemptFailed(failed)
    await expect(once).rejects.toBe(failed)
    readiness.ready()
    await expect(patient).resolves.toBeUndefined()
  })

  test('ends with the end in any case, also one that begins after it', async () => {
    const readiness = new Readiness()
    const patient = readiness.wait({ retry: true })
    readiness.ended(closed)
    await expect(patient).rejects.toBe(closed)
    await expect(readiness.wait({ retry: true })).rejects.toBe(closed)
  })

  test('ends with its signal, on which no listener stays', async () => {
    const readiness = new Readiness()
    const abort = new AbortController()
    const wait = readiness.wait({ signal: abort.signal })
    abort.abort('why')
    await expect(wait).rejects.toMatchObject({ code: 'aborted', cause: 'why' })
    await expect(readiness.wait({ signal: abort.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    readiness.ready()
  })
})
