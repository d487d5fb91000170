import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  AttemptsExhaustedError,
  BootstrapError,
  ConnectionError,
  HandshakeError,
  ConfigError,
  BusError,
  HandlerError,
} from '@bus/core'
import { CLOSE_ADVICE } from './close-advice.ts'
import { ERROR_ADVICE } from './error-advice.ts'
import { explain } from './explain.ts'
import { HANDSHAKE_ADVICE } from './handshake-advice.ts'
import { SYSTEM_ADVICE } from './system-advice.ts'

/** As `@bus/recording` throws it: advice is found by the code. */
class RecordingError extends BusError {
  readonly code = 'recording'
  readonly category = 'permanent'
}

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })
const handshake = (status: number): HandshakeError =>
  new HandshakeError({ status, headers: {}, body: '' })

/** The rows of the document under this heading: plain cells. */
function rowsUnder(heading: string): string[][] {
  const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf(`## ${heading}\n`)).split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .replaceAll('\\|', '\u0000')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('\u0000', '|').trim()),
  )
}

const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '')

describe('the document says what explain says', () => {
  test('of every code of the bus', () => {
    const rows = rowsUnder('Classes and codes').map(([, code, , , message, suggestion]) => [
      plain(code),
      { message, suggestion },
    ])
    expect(Object.fromEntries(rows)).toEqual(ERROR_ADVICE)
  })

  test('of every close code', () => {
    const rows = rowsUnder('After a close').map(([code, suggestion]) => [Number(code), suggestion])
    expect(rows).toEqual([...CLOSE_ADVICE].map(([code, { suggestion }]) => [code, suggestion]))
    const meanings = rowsUnder('Close codes').map(([code, , , message]) => [Number(code), message])
    expect(meanings).toEqual([...CLOSE_ADVICE].map(([code, { message }]) => [code, message]))
  })

  test('of every status of a handshake', () => {
    const rows = rowsUnder('Refused handshakes').map(([status, message, suggestion]) => [
      Number(status),
      { message, suggestion },
    ])
    expect(rows).toEqual([...HANDSHAKE_ADVICE])
  })

  test('of every code of the system', () => {
    const rows = rowsUnder('Errors of the system').map(([code, message, suggestion]) => [
      plain(code),
      { message, suggestion },
    ])
    expect(rows).toEqual([...SYSTEM_ADVICE])
  })
})

describe('explain', () => {
  test('gives a message, advice and a link for an error of the bus', () => {
    expect(explain(new ConfigError('queue', 'Expected …'))).toEqual({
      ...ERROR_ADVICE.config,
      docsUrl: 'docs/errors.md#classes-and-codes',
    })
  })

  test('the link leads to a section of the document, at the address that is given', () => {
    const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
    const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title.toLowerCase().replaceAll(' ', '-'),
    )
    const errors = [new ConfigError('a', 'b'), system('EPIPE'), { code: 1006 }, handshake(401), 'x']
    const links = errors.map((error) => explain(error, { docs: 'https://bus.example/errors' }))
    const sections = links.map(({ docsUrl }) => docsUrl.replace('https://bus.example/errors#', ''))
    expect(new Set(sections).size).toBe(5)
    expect(anchors).toEqual(expect.arrayContaining(sections))
  })

  test.each([
    ['ECONNREFUSED', 'Nothing listens at that address.'],
    ['ENOTFOUND', 'There is no host of that name.'],
    ['CERT_HAS_EXPIRED', 'The certificate of the server has expired.'],
    ['CERT_SOMETHING_ELSE', 'The certificate of the server is not to be trusted.'],
    ['UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'The certificate of the server is not to be trusted.'],
    ['WS_ERR_INVALID_OPCODE', 'The other side sent a frame of an unknown kind.'],
  ])('of %s says: %s', (code, message) => {
    expect(explain(system(code)).message).toBe(message)
  })

  test('finds what is underneath, also through several errors', () => {
    const refused = new ConnectionError('no link', { cause: system('ECONNREFUSED') })
    const given = new AttemptsExhaustedError('given up', { cause: refused })
    expect(explain(given)).toEqual(explain(system('ECONNREFUSED')))
    const boot = new BootstrapError('headers', { cause: new Error('x', { cause: handshake(403) }) })
    expect(explain(boot)).toEqual(explain(handshake(403)))
  })

  test('of several addresses that failed takes the first that says something', () => {
    const error = new AggregateError([new Error('?'), system('ETIMEDOUT'), system('EPIPE')])
    expect(explain(new ConnectionError('both', { cause: error }))).toEqual(
      explain(system('ETIMEDOUT')),
    )
  })

  test('keeps to the bus where the cause is somebody else’s business', () => {
    const error = new HandlerError('failed', { cause: system('ECONNREFUSED') })
    expect(explain(error)).toMatchObject(ERROR_ADVICE.handler)
  })

  test('knows the close code of an error, and of a notice', () => {
    const error = new ConnectionError('ended', { closeCode: 4429 })
    expect(explain(error)).toMatchObject({ message: CLOSE_ADVICE.get(4429)?.message })
    expect(explain({ code: 4429, reason: '', wasClean: true })).toEqual(explain(error))
  })

  test('says of any status above 500 what it says of 500, and of an odd one what it says of the class', () => {
    expect(explain(handshake(599))).toEqual(explain(handshake(500)))
    expect(explain(handshake(418))).toMatchObject(ERROR_ADVICE.handshake)
  })

  test('says of a recording that cannot be written what the system says', () => {
    const error = new RecordingError('no', { cause: system('EROFS') })
    expect(explain(error).message).toBe('The file system is read-only.')
    expect(explain(new RecordingError('no'))).toMatchObject(ERROR_ADVICE.recording)
  })

  test.each([
    [new Error('odd'), 'odd'],
    [new Error(''), 'An error without a message.'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [Object.create(null), 'a value without a text'],
    [Object.assign(new Error('its code is unknown'), { code: 'E_ODD' }), 'its code is unknown'],
    [{ code: -32_600, toString: () => 'rpc' }, 'rpc'],
  ])('repeats what it does not know: %s', (error, message) => {
    expect(explain(error)).toMatchObject({ message, docsUrl: 'docs/errors.md#errors' })
  })

  test('hides the secrets of URLs in what it repeats', () => {
    const { message } = explain(new Error('cannot reach wss://me:hunter22@host/?token=abc'))
    expect(message).not.toMatch(/hunter22|abc/)
  })

  test('comes to an end with causes in a circle', () => {
    const [one, two] = [new Error('one'), new Error('two')]
    one.cause = two
    two.cause = one
    expect(explain(one).message).toBe('one')
  })

  test('refuses options that it does not know', () => {
    expect(() => explain(new Error('x'), { doc: 'y' } as object)).toThrow(/did you mean `docs`/)
    expect(() => explain(new Error('x'), { docs: '' })).toThrow(ConfigError)
  })
})
