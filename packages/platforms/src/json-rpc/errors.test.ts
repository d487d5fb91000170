import { expect, test } from 'vitest'
import { DuplicateIdError, RpcError } from './errors.ts'

test('an answer that is an error names its method, code, message and data, and was refused', () => {
  const error = new RpcError('private/buy', { code: 10_009, message: 'not_enough_funds', data: 7 })
  expect(error.message).toBe('private/buy was answered with error 10009: not_enough_funds')
  expect(error).toMatchObject({
    method: 'private/buy',
    rpcCode: 10_009,
    data: 7,
    outcome: 'rejected',
    retryable: false,
  })
})

test('an answer that is an error may be worth another try, if its maker knows so', () => {
  const busy = new RpcError('a', { code: -32_603, message: 'busy' }, { retryable: true })
  expect(busy.retryable).toBe(true)
  expect(busy.data).toBeUndefined()
})

test('an id that is taken is named as it was given: a number is no text', () => {
  expect(new DuplicateIdError(7).message).toContain('the id 7 is')
  expect(new DuplicateIdError('7').message).toContain('the id "7" is')
  expect(new DuplicateIdError('7')).toMatchObject({ outcome: 'not-sent', retryable: false })
})
