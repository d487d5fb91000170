import { expect, test } from 'vitest'
import { BusError } from '@bus/core'
import { RecordingError } from './recording-error.ts'

test('has a name, a code, a category, its problem and the cause, and is not worth a retry', () => {
  const cause = new Error('why')
  const error = new RecordingError('json', 'm', { cause })
  expect(error).toBeInstanceOf(BusError)
  expect(error).toMatchObject({
    name: 'RecordingError',
    code: 'recording',
    category: 'permanent',
    problem: 'json',
    retryable: false,
    cause,
  })
})
