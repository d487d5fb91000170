import { expect, test } from 'vitest'
import { startHub } from './hub-clients.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const hello = (members: string): string => `hello {"v":1,"subs":[]${members}}`

const BAD: readonly (readonly [line: string, reason: string])[] = [
  ['', 'line empty'],
  ['\n', 'line empty'],
  ['ack 0\n', 'line empty'],
  ['ack 0\n\nack 0', 'line empty'],
  [' ', 'line verb'],
  ['\r\n', 'line verb'],
  ['PUB 1 a i {}', 'line verb'],
  ['publish 1 a i {}', 'line verb'],
  ['ev 1 a i {}', 'line verb'],
  ['welcome {}', 'line verb'],
  ['__proto__ 1', 'line verb'],
  ['constructor', 'line verb'],
  ['\u0000', 'line verb'],
  ['\u001B[31m', 'line verb'],
  ['é', 'line verb'],
  ['pub', 'pub fields'],
  ['pub ', 'pub n'],
  ['pub  a i {}', 'pub n'],
  ['pub 0 a i {}', 'pub n'],
  ['pub 01 a i {}', 'pub n'],
  ['pub +1 a i {}', 'pub n'],
  ['pub -1 a i {}', 'pub n'],
  ['pub -- a i {}', 'pub n'],
  ['pub 1.0 a i {}', 'pub n'],
  ['pub 1e3 a i {}', 'pub n'],
  ['pub 0x1 a i {}', 'pub n'],
  ['pub Infinity a i {}', 'pub n'],
  ['pub 9007199254740992 a i {}', 'pub n'],
  ['pub 99999999999999999 a i {}', 'pub n'],
  ['pub ١ a i {}', 'pub n'],
  ['pub 1', 'pub n'],
  ['pub 1 a', 'pub type'],
  ['pub 1 a ', 'pub id'],
  ['pub 1 a  {}', 'pub id'],
  ['pub 1 a i', 'pub id'],
  [`pub 1 a ${'i'.repeat(129)} {}`, 'pub id'],
  ['pub 1 a \u0007 {}', 'pub id'],
  ['pub 1 a ï {}', 'pub id'],
  ['pub 1 a i ', 'pub body'],
  ['pub 1 a i {', 'pub body'],
  ['pub 1 a i }', 'pub body'],
  ['pub 1 a i []', 'pub body'],
  ['pub 1 a i 1', 'pub body'],
  ['pub 1 a i  {}', 'pub body'],
  ['pub 1 a i {} ', 'pub body'],
  ['pub 1 a i {}\r', 'pub body'],
  ['rep x a i {}', 'rep n'],
  ['rep 1 a i null', 'rep body'],
  ['sub', 'sub fields'],
  ['sub 1', 'sub fields'],
  ['sub 1 a', 'sub fields'],
  ['sub 1 a alo 0 0', 'sub fields'],
  ['sub x a alo', 'sub id'],
  ['sub -1 a alo', 'sub id'],
  ['sub 01 a alo', 'sub id'],
  ['sub 9007199254740992 a alo', 'sub id'],
  ['sub 1  alo', 'sub pattern'],
  ['sub 1 a..b alo', 'sub pattern'],
  ['sub 1 .a alo', 'sub pattern'],
  ['sub 1 a. alo', 'sub pattern'],
  ['sub 1 >.a alo', 'sub pattern'],
  ['sub 1 a.b* alo', 'sub pattern'],
  ['sub 1 a.** alo', 'sub pattern'],
  ['sub 1 $JS.API alo', 'sub pattern'],
  [`sub 1 ${'a.'.repeat(16)}a alo`, 'sub pattern'],
  [`sub 1 ${'a'.repeat(256)} alo`, 'sub pattern'],
  [`sub 1 ${'a.'.repeat(100_000)}a alo`, 'sub pattern'],
  ['sub 1 a ALO', 'sub mode'],
  ['sub 1 a exactly-once', 'sub mode'],
  ['sub 1 a __proto__', 'sub mode'],
  ['sub 1 a alo x', 'sub offset'],
  ['sub 1 a alo ', 'sub offset'],
  ['sub 1 a alo -0', 'sub offset'],
  ['sub 1 a alo\nsub 1 a alo', 'sub again'],
  ['unsub', 'unsub fields'],
  ['unsub ', 'unsub fields'],
  ['unsub x', 'unsub id'],
  ['unsub 1 2', 'unsub id'],
  ['ack', 'ack fields'],
  ['ack -1', 'ack offset'],
  ['ack 00', 'ack offset'],
  ['ack 0 0', 'ack offset'],
  ['ack 1e1', 'ack offset'],
  ['auth {}', 'auth shape'],
  ['auth {"token":1}', 'auth shape'],
  ['auth {"token":""}', 'auth shape'],
  ['auth []', 'auth json'],
  ['auth token', 'auth json'],
  ['auth {"__proto__":{"token":"x"}}', 'auth shape'],
  [`auth {"token":"x","more":${deep(8)}}`, 'auth json'],
  [hello(''), 'hello again'],
]

test.each(BAD)(
  '%j ends the link with 4400 and the reason "%s" [F69, F73]',
  async (line, reason) => {
    const hub = await startHub()
    const bystander = await greet(hub, { subs: [sub(1, '>')] })
    const client = await greet(hub)
    client.ws.send(line)
    await expect(client.closed).resolves.toEqual({ code: 4400, reason })
    expect(hub.stats().busV1).toMatchObject({ protocolErrors: 1, published: 0 })
    await bystander.settled()
    expect(bystander.lines).toHaveLength(1)
  },
)

const BAD_FIRST: readonly (readonly [line: string, reason: string])[] = [
  ['pub 1 a i {}', 'pub first'],
  ['ack 0', 'ack first'],
  ['sub 1 a alo', 'sub first'],
  ['unsub 1', 'unsub first'],
  ['auth {"token":"t"}', 'auth first'],
  ['bye {"code":1}', 'bye first'],
  ['hello', 'hello fields'],
  ['hello ', 'hello fields'],
  ['hello {', 'hello json'],
  ['hello []', 'hello json'],
  ['hello null', 'hello json'],
  ['hello "x"', 'hello json'],
  [hello(`,"more":${deep(8)}`), 'hello json'],
  [hello(`,"more":${deep(100_000)}`), 'hello json'],
  ['hello {}', 'hello version'],
  ['hello {"v":2,"subs":[]}', 'hello version'],
  ['hello {"v":"1","subs":[]}', 'hello version'],
  ['hello {"__proto__":{"v":1,"subs":[]}}', 'hello version'],
  ['hello {"v":1}', 'hello shape'],
  ['hello {"v":1,"subs":{}}', 'hello shape'],
  ['hello {"v":1,"subs":[null]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":"a"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":"1","pattern":"a","mode":"alo"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":-1,"pattern":"a","mode":"alo"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":"a b","mode":"alo"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":["a"],"mode":"alo"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":"a","mode":"x"}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":"a","mode":"alo","from":-1}]}', 'hello shape'],
  ['hello {"v":1,"subs":[{"id":1,"pattern":"a","mode":"alo","from":1e999}]}', 'hello shape'],
  [
    'hello {"v":1,"subs":[{"id":1,"pattern":"a","mode":"alo"},{"id":1,"pattern":"b","mode":"alo"}]}',
    'hello shape',
  ],
  [hello(',"sid":1'), 'hello shape'],
  [hello(',"sid":""'), 'hello shape'],
  [hello(',"sid":"a b"'), 'hello shape'],
  [hello(`,"sid":"${'a'.repeat(65)}"`), 'hello shape'],
  [hello(',"epoch":{}'), 'hello shape'],
  [hello(',"offset":-1'), 'hello shape'],
  [hello(',"offset":-0'), 'hello shape'],
  [hello(',"offset":1.5'), 'hello shape'],
  [hello(',"offset":9007199254740992'), 'hello shape'],
  [hello(',"offset":null'), 'hello shape'],
  [hello(',"token":""'), 'hello shape'],
  [hello(`,"token":"${'t'.repeat(16_385)}"`), 'hello shape'],
  [hello(',"maxMessageBytes":0'), 'hello shape'],
  [hello(',"maxMessageBytes":"1"'), 'hello shape'],
  [hello(',"link":0'), 'hello shape'],
  [hello(',"link":"1"'), 'hello shape'],
  [hello(',"window":{}'), 'hello shape'],
  [hello(',"window":{"events":0,"bytes":1}'), 'hello shape'],
  [hello(',"window":[1,1]'), 'hello shape'],
]

test.each(BAD_FIRST)(
  '%j as the first line ends the link with 4400 "%s" [F69, F73]',
  async (line, reason) => {
    const hub = await startHub()
    const client = await dial(hub)
    client.ws.send(line)
    await expect(client.closed).resolves.toEqual({ code: 4400, reason })
    expect(client.lines).toEqual([])
    expect(hub.stats().busV1).toMatchObject({ protocolErrors: 1, sessions: 0 })
  },
)

test('a binary message ends the link with 1003 [F68]', async () => {
  const hub = await startHub()
  const client = await greet(hub)
  client.ws.send(Buffer.from('ack 0'))
  await expect(client.closed).resolves.toEqual({ code: 1003, reason: 'text only' })
})

test('a message that is too large ends the link with 1009, and one of just that size passes [F63]', async () => {
  const hub = await startHub({ maxMessageBytes: 1_000 })
  const client = await greet(hub)
  const sized = (n: number, bytes: number): string => pub(n, 'x'.repeat(bytes - pub(n, '').length))
  client.say(sized(1, 999))
  client.say(sized(2, 1_000))
  await client.line('ok 2')
  client.say(sized(3, 1_001))
  await expect(client.closed).resolves.toMatchObject({ code: 1009 })
  expect(hub.stats().busV1).toMatchObject({ published: 2, badFrames: 1, protocolErrors: 0 })
})

test('what stands before a bad line counts, what stands behind it does not', async () => {
  const hub = await startHub()
  const reader = await greet(hub, { subs: [sub(1, '>')] })
  const client = await greet(hub)
  client.say('pub 1 a i {}', 'pub 2 a i {}', 'nonsense', 'pub 3 a i {}')
  await expect(client.closed).resolves.toMatchObject({ code: 4400 })
  await reader.events(2)
  expect(hub.stats().busV1.published).toBe(2)
})

test('unknown members of hello and auth are ignored, and nothing of them reaches a prototype [F71]', async () => {
  const hub = await startHub()
  const client = await dial(hub)
  client.say(
    'hello {"v":1,"subs":[],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"new":[]}',
  )
  await client.line('welcome')
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
