import { describe, expect, test } from 'vitest'
import { formatLog, lineLogger, type LineLoggerOptions, type LogEntry } from './log-format.ts'

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

function entry(fields: Record<string, unknown>, message = 'Connected'): LogEntry {
  return { time: TIME, level: 'info', message, fields }
}

function loggerTo(options: Omit<LineLoggerOptions, 'write'>): {
  readonly lines: string[]
  readonly logger: ReturnType<typeof lineLogger>
} {
  const lines: string[] = []
  const logger = lineLogger({ write: (line) => lines.push(line), now: () => TIME, ...options })
  return { lines, logger }
}

describe('a plain line', () => {
  const plain = formatLog('plain')

  test('has the time, the level, the message and each field', () => {
    expect(plain(entry({ generation: 2, type: 'order.created', reconnected: true }))).toBe(
      '2026-01-02T03:04:05.006Z INFO  Connected generation=2 type=order.created reconnected=true',
    )
  })

  test('quotes what is no word, and writes objects as JSON', () => {
    const line = plain(entry({ reason: 'going away', patterns: ['a.*'], gone: undefined }))
    expect(line).toMatch(/Connected reason="going away" patterns=\["a\.\*"\]$/)
  })

  test('stays one line, whatever a server says', () => {
    const line = plain(entry({ reason: 'x\n2026 ERROR forged', 'a\nb': '\u202E\u2028' }, 'a\r\nb'))
    expect(line).not.toMatch(/[\n\r\u2028\u202E]/)
  })
})

describe('a line of JSON', () => {
  const json = formatLog('json')

  test('has the time, the level, the message and each field', () => {
    expect(JSON.parse(json(entry({ generation: 2, nested: { a: [1] } })))).toEqual({
      time: '2026-01-02T03:04:05.006Z',
      level: 'info',
      message: 'Connected',
      generation: 2,
      nested: { a: [1] },
    })
  })

  test('keeps its own names from being taken by a field', () => {
    expect(JSON.parse(json(entry({ level: 'high', time: 1, message: 'm' })))).toMatchObject({
      level: 'info',
      message: 'Connected',
      _level: 'high',
      _time: 1,
      _message: 'm',
    })
  })

  test('is one line', () => {
    expect(json(entry({ reason: 'a\nb' }, 'c\nd'))).not.toContain('\n')
  })

  test('writes errors with their code and causes', () => {
    const error = Object.assign(new Error('no', { cause: new Error('why') }), { code: 'ENO' })
    expect(JSON.parse(json(entry({ err: error })))).toMatchObject({
      err: { name: 'Error', message: 'no', code: 'ENO', cause: { message: 'why' } },
    })
  })

  test('writes what has no JSON in its own way, and the rest as it is', () => {
    const circle: Record<string, unknown> = { name: 'circle' }
    circle['self'] = circle
    const shared = { n: 1 }
    const unreadable = {
      toJSON: (): never => {
        throw new Error('no')
      },
    }
    const fields = { big: 12n, run: () => {}, circle, twice: [shared, shared], unreadable, last: 1 }
    expect(JSON.parse(json(entry(fields)))).toMatchObject({
      big: '12',
      run: '[function]',
      circle: { name: 'circle', self: '[circular]' },
      twice: [{ n: 1 }, { n: 1 }],
      unreadable: '[unreadable]',
      last: 1,
    })
  })
})

describe('what is not known', () => {
  test('as a format is plain', () => {
    expect(formatLog('xml')(entry({}))).toBe(formatLog('plain')(entry({})))
    expect(formatLog()(entry({}))).toBe(formatLog('plain')(entry({})))
  })

  test('as a level is info', () => {
    const { lines, logger } = loggerTo({ level: 'loud', format: 'xml' })
    logger.debug({}, 'no')
    logger.info({}, 'yes')
    expect(lines).toEqual(['2026-01-02T03:04:05.006Z INFO  yes'])
  })

  test('as an option is refused by its name', () => {
    expect(() => lineLogger({ write: () => {}, fromat: 'json' } as never)).toThrow(
      /Unknown option `fromat`: did you mean `format`/,
    )
    expect(() => lineLogger({} as never)).toThrow(/Expected `write` to be a function/)
  })
})

describe('levels', () => {
  test.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
    [undefined, ['info', 'warn', 'error']],
  ] as const)('%s lets through what is as important or more', (level, passed) => {
    const { lines, logger } = loggerTo({
      format: 'json',
      ...(level === undefined ? {} : { level }),
    })
    for (const name of ['debug', 'info', 'warn', 'error'] as const) logger[name]({}, name)
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(passed)
  })
})
