import { expect, test } from 'vitest'
import { BusError } from '@bus/core'
import { NoConnectionsError } from './no-connections-error.ts'

test('has a name, a code, a category and the cause, and may succeed later', () => {
  const cause = new Error('why')
  const error = new NoConnectionsError('m', { cause })
  expect(error).toBeInstanceOf(BusError)
  expect(error).toMatchObject({
    name: 'NoConnectionsError',
    code: 'no-connections',
    category: 'transient',
    retryable: true,
    cause,
  })
})
