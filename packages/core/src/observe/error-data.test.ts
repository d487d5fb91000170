import { expect, test } from 'vitest'
import { TimeoutError } from '../contract/errors.ts'
import { errorData } from './error-data.ts'

test('an error keeps its name, message, code and causes', () => {
  const socket = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const error = new TimeoutError('Too slow', { cause: socket })
  expect(errorData(error)).toEqual({
    name: 'TimeoutError',
    code: 'timeout',
    message: 'Too slow',
    cause: { name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
  })
})

test('secrets in the URLs of a message are hidden', () => {
  const { message } = errorData(
    new Error('cannot reach wss://me:hunter22@host/feed?token=abcdef in time'),
  )
  expect(message).toMatch(/^cannot reach wss:.*host\/feed.* in time$/)
  expect(message).not.toContain('hunter22')
  expect(message).not.toContain('abcdef')
})

test('a circle of causes comes to an end', () => {
  const error = new Error('again')
  error.cause = error
  expect(JSON.stringify(errorData(error)).match(/again/g)).toHaveLength(5)
})

test.each([
  ['a text', { name: 'string', message: 'a text' }],
  [undefined, { name: 'undefined', message: 'undefined' }],
  [Object.create(null), { name: 'object', message: 'a value without a text' }],
])('what is thrown and no error becomes data too', (thrown, data) => {
  expect(errorData(thrown)).toEqual(data)
})
