import { AuthError, HeartbeatTimeoutError } from '@bus/core'
import { describe, expect, test } from 'vitest'
import type { CloseInfo } from './link.ts'
import { closeError, toBusError } from './dial.ts'

const ended: CloseInfo = {
  code: 1001,
  reason: '',
  wasClean: true,
  initiatedBy: 'remote',
  error: undefined,
}

describe('the end of a connection as an error', () => {
  test('names the code and quotes the reason', () => {
    expect(closeError(ended)).toMatchObject({
      code: 'connection',
      message: 'The connection ended with code 1001',
      closeCode: 1001,
    })
    const { message } = closeError({ ...ended, reason: 'bye\nERROR fake' })
    expect(message).toBe('The connection ended with code 1001: "bye\\nERROR fake"')
  })

  test('is the error of ours that ended it', () => {
    const error = new HeartbeatTimeoutError('silent')
    expect(closeError({ ...ended, error })).toBe(error)
  })

  test('by a bad frame is a breach of the protocol that may be tried again', () => {
    const error = Object.assign(new RangeError('Invalid WebSocket frame'), { code: 'WS_ERR_X' })
    expect(closeError({ ...ended, error })).toMatchObject({
      code: 'protocol',
      retryable: true,
      cause: error,
    })
  })

  test('keeps errors of ours and wraps all others', () => {
    const auth = new AuthError('no')
    expect(toBusError(auth)).toBe(auth)
    const other = new Error('socket')
    expect(toBusError(other)).toMatchObject({ code: 'connection', message: 'socket', cause: other })
    expect(toBusError('text')).toMatchObject({ code: 'connection', cause: 'text' })
  })
})
