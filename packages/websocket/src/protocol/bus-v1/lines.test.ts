import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { helloLine, type Hello } from './hello.ts'
import { GAP_REASONS, REFUSAL_CODES, wireDefaults } from './limits.ts'
import {
  ackLine,
  authLine,
  byeLine,
  gapLine,
  HubMessageReader,
  markLine,
  noLine,
  okLine,
  publishLine,
  publishLineText,
  readClientMessage,
  subnoLine,
  subokLine,
  subscribeLine,
  unsubscribeLine,
  type ClientReceiver,
  type HubEventReceiver,
  type HubReceiver,
} from './lines.ts'
import { welcomeLine, type Welcome } from './welcome.ts'

/** Keeps each call as its name and arguments. */
function hubRecorder(): {
  readonly calls: unknown[][]
  readonly receiver: HubReceiver & HubEventReceiver
} {
  const calls: unknown[][] = []
  const keep =
    (name: string) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args])
  const receiver: HubReceiver & HubEventReceiver = {
    welcome: keep('welcome'),
    ok: keep('ok'),
    no: keep('no'),
    subok: keep('subok'),
    subno: keep('subno'),
    event: keep('event'),
    unreadable: () => false,
    gap: keep('gap'),
    mark: keep('mark'),
    bye: keep('bye'),
  }
  return { calls, receiver }
}

function readFromHub(text: string): { calls: unknown[][]; bad: unknown } {
  const { calls, receiver } = hubRecorder()
  return { bad: new HubMessageReader(receiver, receiver).read(Buffer.from(text)), calls }
}

function readFromClient(text: string): { calls: unknown[][]; bad: unknown } {
  const calls: unknown[][] = []
  const keep =
    (name: string) =>
    (...args: unknown[]): undefined => {
      calls.push([name, ...args])
      return undefined
    }
  const receiver: ClientReceiver = {
    isOver: false,
    publish: (bytes, from, to, line, resent) => {
      const type = bytes.toString('utf8', line.typeFrom, line.typeTo)
      const id = bytes.toString('utf8', line.typeTo + 1, line.idTo)
      calls.push(['publish', line.n, type, id, bytes.toString('utf8', line.idTo + 1, to), resent])
      expect(bytes.toString('utf8', from, from + 4)).toBe(resent ? 'rep ' : 'pub ')
      return undefined
    },
    hello: keep('hello'),
    subscribe: keep('subscribe'),
    unsubscribe: keep('unsubscribe'),
    ack: keep('ack'),
    auth: keep('auth'),
    bye: keep('bye'),
  }
  return { bad: readClientMessage(Buffer.from(text), publishLine(), receiver), calls }
}

const welcome: Welcome = {
  sid: 'sid_1',
  resumed: true,
  last: 7,
  refused: [[6, 'size']],
  epoch: 'epoch-1',
  head: 12,
  limits: wireDefaults,
  heartbeatMs: 25_000,
  subs: [
    { id: 1, offset: 12 },
    { id: 2, code: 'auth' },
  ],
  gaps: [{ from: 1, to: 3, why: 'overrun' }],
}

describe('what a hub writes, a client reads', () => {
  it('line by line, in one message', () => {
    const lines = [
      welcomeLine(welcome),
      okLine(7),
      noLine(8, 'size'),
      subokLine(3, 12),
      subnoLine(4, 'limit'),
      gapLine(4, 9, 'slow'),
      markLine(9),
      'ev 10 order.created id-1 {"payload":"a b\\n","metadata":{}}',
      'rv 11 a i {}',
      byeLine({ code: 1001, retryAfterMs: 5, spreadMs: 10 }),
    ]
    expect(readFromHub(lines.join('\n'))).toEqual({
      bad: undefined,
      calls: [
        ['welcome', welcome],
        ['ok', 7],
        ['no', 8, 'size'],
        ['subok', 3, 12],
        ['subno', 4, 'limit'],
        ['gap', { from: 4, to: 9, why: 'slow' }],
        ['mark', 9],
        ['event', 10, 'order.created', 'id-1', '{"payload":"a b\\n","metadata":{}}', false],
        ['event', 11, 'a', 'i', '{}', true],
        ['bye', { code: 1001, retryAfterMs: 5, spreadMs: 10 }],
      ],
    })
  })

  it.each(REFUSAL_CODES)('the refusal %s', (code) => {
    expect(readFromHub(noLine(1, code)).calls).toEqual([['no', 1, code]])
  })

  it.each(GAP_REASONS)('the gap %s', (why) => {
    expect(readFromHub(gapLine(1, 2, why)).calls).toEqual([['gap', { from: 1, to: 2, why }]])
  })

  it('without the refusals of a welcome, where a hub has none to tell', () => {
    const { refused: _, ...older } = welcome
    expect(readFromHub(`welcome ${JSON.stringify(older)}`).calls).toEqual([
      ['welcome', { ...welcome, refused: [] }],
    ])
  })

  it.each([
    ['', 'line empty'],
    ['ok 1\n', 'line empty'],
    ['pub 1 a i {}', 'line verb'],
    ['ok', 'ok fields'],
    ['ok ', 'ok n'],
    ['ev', 'ev fields'],
    ['ev ', 'ev fields'],
    ['ok x', 'ok n'],
    ['ok 1 2', 'ok n'],
    ['no 1', 'no code'],
    ['no 1 BAD', 'no code'],
    ['no 1 size size', 'no fields'],
    ['subok 1', 'subok offset'],
    ['subok x 1', 'subok id'],
    ['subok 1 2 3', 'subok fields'],
    ['subno x auth', 'subno id'],
    ['gap 2 1 slow', 'gap offset'],
    ['gap 1 2 bored', 'gap why'],
    ['gap 1 2', 'gap why'],
    ['gap 1 2 slow 3', 'gap fields'],
    ['mark -1', 'mark offset'],
    ['ev 1 a i', 'ev fields'],
    ['ev 1 a i ', 'ev fields'],
    ['ev x a i {}', 'ev offset'],
    ['ev 1 a..b i {}', 'ev type'],
    ['ev 1 a \u0007 {}', 'ev id'],
    ['rv 1', 'rv fields'],
    ['welcome x', 'welcome json'],
    ['welcome {}', 'welcome shape'],
    [
      `welcome ${JSON.stringify({ ...welcome, gaps: [{ from: 2, to: 1, why: 'slow' }] })}`,
      'welcome shape',
    ],
    [`welcome ${JSON.stringify({ ...welcome, subs: [{ id: 1 }] })}`, 'welcome shape'],
    [`welcome ${JSON.stringify({ ...welcome, refused: [[1]] })}`, 'welcome shape'],
    [`welcome ${JSON.stringify({ ...welcome, limits: {} })}`, 'welcome shape'],
    ['bye {}', 'bye shape'],
    ['bye {"code":1001,"spreadMs":-1}', 'bye shape'],
    ['bye 1001', 'bye json'],
  ])('and says what is wrong with %j', (text, reason) => {
    const [verb, fault] = reason.split(' ')
    expect(readFromHub(text).bad).toEqual({ verb, fault })
  })

  it('and survives whatever comes', () => {
    const word = fc.constantFrom('ev', 'ok', 'no', 'gap', 'welcome', ' ', '\n', '1', 'a', '{}', '"')
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }), (parts) => {
        readFromHub(parts.join(''))
        readFromHub(parts.join(' '))
      }),
    )
  })
})

describe('what a client writes, a hub reads', () => {
  it('line by line, in one message', () => {
    const hello: Hello = {
      v: 1,
      sid: 'sid_1',
      epoch: 'epoch-1',
      offset: 3,
      subs: [
        { id: 1, pattern: 'order.*', mode: 'alo' },
        { id: 2, pattern: '>', mode: 'amo', from: 4 },
      ],
      token: 'secret',
      window: { events: 1, bytes: 2 },
      maxMessageBytes: 3,
    }
    const lines = [
      helloLine(hello),
      publishLineText(1, 'a.b', 'id-1', '{"payload":"é"}'),
      publishLineText(0, 'a', 'i', '{}'),
      publishLineText(2, 'a', 'i', '{}', true),
      subscribeLine({ id: 3, pattern: 'a.>', mode: 'amo', from: 9 }),
      subscribeLine({ id: 4, pattern: 'a', mode: 'alo' }),
      unsubscribeLine(3),
      ackLine(12),
      authLine('fresh'),
      byeLine({ code: 'done' }),
    ]
    expect(readFromClient(lines.join('\n'))).toEqual({
      bad: undefined,
      calls: [
        ['hello', hello],
        ['publish', 1, 'a.b', 'id-1', '{"payload":"é"}', false],
        ['publish', 0, 'a', 'i', '{}', false],
        ['publish', 2, 'a', 'i', '{}', true],
        ['subscribe', { id: 3, pattern: 'a.>', mode: 'amo', from: 9 }],
        ['subscribe', { id: 4, pattern: 'a', mode: 'alo' }],
        ['unsubscribe', 3],
        ['ack', 12],
        ['auth', 'fresh'],
        ['bye'],
      ],
    })
  })

  it.each([
    ['', 'line empty'],
    ['ack 1\n', 'line empty'],
    ['welcome {}', 'line verb'],
    ['pub', 'pub fields'],
    ['pub ', 'pub n'],
    ['pub 0 a i {}', 'pub n'],
    ['rep 01 a i {}', 'rep n'],
    ['pub -- a i {}', 'pub n'],
    ['pub 1', 'pub n'],
    ['pub 1 a', 'pub type'],
    ['pub - a i', 'pub id'],
    ['pub 1 a i {', 'pub body'],
    ['pub 1 a i []', 'pub body'],
    ['ack', 'ack fields'],
    ['ack ', 'ack fields'],
    ['ack x', 'ack offset'],
    ['unsub x', 'unsub id'],
    ['sub 1 a', 'sub fields'],
    ['sub 1 a alo x', 'sub offset'],
    ['sub 1 a..b alo', 'sub pattern'],
    ['sub 1 a most', 'sub mode'],
    ['hello x', 'hello json'],
    ['hello {"v":2}', 'hello version'],
    ['auth {}', 'auth shape'],
  ])('and says what is wrong with %j', (text, reason) => {
    const [verb, fault] = reason.split(' ')
    expect(readFromClient(text).bad).toEqual({ verb, fault })
  })

  it('and survives whatever comes, in text and in the middle of text', () => {
    const word = fc.constantFrom(
      'pub',
      'rep',
      'hello',
      'sub',
      'ack',
      ' ',
      '\n',
      '1',
      'a',
      '{}',
      '-',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }), (parts) => {
        readFromClient(parts.join(''))
        readFromClient(parts.join(' '))
      }),
    )
  })
})
