import { createEvent, type BusError } from '@bus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../../test/fake-clock.ts'
import { ClientOutboxEntry } from '../outbox/outbox.ts'
import { wireDefaults } from '../../protocol/bus-v1/limits.ts'
import type { Welcome } from '../../protocol/bus-v1/welcome.ts'
import { BusV1Publisher, type PublisherOutbox } from './publisher.ts'

/** Keeps entries in an array, the first `reserved` of them under way. */
class ArrayOutbox implements PublisherOutbox {
  readonly entries: ClientOutboxEntry[] = []
  readonly left: ClientOutboxEntry[] = []
  reserved = 0

  mayWrite(): boolean {
    return true
  }

  next(room: number, credit: number): ClientOutboxEntry | undefined {
    const entry = this.entries[this.reserved]
    if (entry === undefined || entry.lineBytes > room) return undefined
    if (entry.isConfirmed && entry.bytes > credit) return undefined
    this.reserved++
    this.again(entry)
    return entry
  }

  leave(): void {
    const entry = this.entries.shift()
    if (entry === undefined) throw new Error('Nothing can leave')
    this.reserved--
    this.left.push(entry)
  }

  again(entry: ClientOutboxEntry): void {
    entry.attempts++
  }

  giveUp(entry: ClientOutboxEntry, error: BusError): void {
    entry.fail(error)
  }
}

/** How each publish ended, by its event's id; more than one end is a mistake. */
type Ends = Map<string, (string | BusError)[]>

/** Fills messages as the test wants them. */
class FilledPublisher extends BusV1Publisher {
  readonly #acks: { line: string | undefined }

  constructor(outbox: ArrayOutbox) {
    const acks: { line: string | undefined } = { line: undefined }
    super(outbox, { takeAck: () => acks.line }, new FakeClock())
    this.#acks = acks
  }

  /** @param ack - the acknowledgement that is due; empty: none */
  fill(ack: string, maxBytes: number): Buffer | undefined {
    this.#acks.line = ack === '' ? undefined : ack
    return this.next(maxBytes)
  }
}

interface Setup {
  readonly outbox: ArrayOutbox
  readonly publisher: FilledPublisher
  readonly ends: Ends
  readonly publish: (isConfirmed?: boolean, bytes?: number) => ClientOutboxEntry
}

function setUp(): Setup {
  const outbox = new ArrayOutbox()
  const publisher = new FilledPublisher(outbox)
  const ends: Ends = new Map()
  let count = 0
  return {
    outbox,
    publisher,
    ends,
    publish: (isConfirmed = true, bytes = 20) => {
      const id = `e${++count}`
      const end = (how: string | BusError): unknown => ends.set(id, [...(ends.get(id) ?? []), how])
      const entry = new ClientOutboxEntry(
        createEvent('a', 0, { id }),
        '{}'.padEnd(bytes - id.length - 3, ' '),
        isConfirmed,
        undefined,
        ({ status }) => end(status),
        (error) => end(error as BusError),
      )
      outbox.entries.push(entry)
      return entry
    },
  }
}

function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    sid: 's',
    resumed: false,
    last: 0,
    refused: [],
    epoch: 'e',
    head: 0,
    limits: wireDefaults,
    heartbeatMs: 1_000,
    subs: [],
    gaps: [],
    ...change,
  }
}

const windowOf = (events: number, bytes = 1_000_000): Partial<Welcome> => ({
  limits: { ...wireDefaults, window: { events, bytes } },
})

/** Verb, number and id of each line. */
const linesOf = (message: Buffer | undefined): string[] =>
  message === undefined
    ? []
    : message
        .toString()
        .split('\n')
        .map((line) => line.trim().replace(' a', '').replace(' {}', ''))

/** One session as a hub keeps it: what came, and whether it was taken. */
class ModelHub {
  received = 0
  told = 0
  readonly taken: string[] = []
  readonly refused = new Map<number, string>()
  isBroken = false

  read(line: string, refuses: boolean): void {
    const [verb = '', number = '', , id = ''] = line.split(' ')
    if (this.isBroken || number === '-') return
    const n = Number(number)
    expect(['pub', 'rep']).toContain(verb)
    if (n <= this.received) return
    expect(n).toBe(this.received + 1)
    this.received = n
    if (refuses) this.refused.set(n, 'size')
    else this.taken.push(id)
  }
}

type Step =
  | { readonly do: 'publish'; readonly isConfirmed: boolean; readonly bytes: number }
  | { readonly do: 'fill'; readonly maxBytes: number }
  | { readonly do: 'read'; readonly lines: number; readonly refuses: boolean }
  | { readonly do: 'taken' }
  | { readonly do: 'answer' }
  | { readonly do: 'cut'; readonly code: number | undefined; readonly resumes: boolean }

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('publish' as const),
      isConfirmed: fc.boolean(),
      bytes: fc.integer({ min: 15, max: 60 }),
    }),
    fc.record({ do: fc.constant('fill' as const), maxBytes: fc.integer({ min: 40, max: 300 }) }),
    fc.record({
      do: fc.constant('read' as const),
      lines: fc.integer({ min: 1, max: 5 }),
      refuses: fc.boolean(),
    }),
    fc.constant({ do: 'taken' as const }),
    fc.constant({ do: 'answer' as const }),
    fc.record({
      do: fc.constant('cut' as const),
      code: fc.constantFrom(undefined, 1006, 1009),
      resumes: fc.boolean(),
    }),
  ),
  { minLength: 20, maxLength: 150 },
)

/** A publisher, its wire and its hub, moved step by step. */
class Run {
  readonly setup = setUp()
  readonly published: ClientOutboxEntry[] = []
  readonly window: number
  readonly hubs: ModelHub[] = []
  hub = new ModelHub()
  /** Written and not read yet. */
  wire: string[] = []
  /** Messages that the operating system has not taken. */
  untaken = 0

  constructor(window: number) {
    this.window = window
    this.#connect(false)
  }

  step(step: Step): void {
    const { publisher, publish } = this.setup
    if (step.do === 'publish') this.published.push(publish(step.isConfirmed, step.bytes))
    else if (step.do === 'fill') this.#fill(step.maxBytes)
    else if (step.do === 'read') {
      for (const line of this.wire.splice(0, step.lines)) this.hub.read(line, step.refuses)
    } else if (step.do === 'taken' && this.untaken > 0) {
      this.untaken--
      publisher.taken()
    } else if (step.do === 'answer') this.#answer()
    else if (step.do === 'cut') this.#cut(step.code, step.resumes)
    this.#check()
  }

  /** Everything goes well from here on. */
  finish(): void {
    for (let rounds = 0; this.setup.outbox.entries.length > 0; rounds++) {
      if (rounds > 1_000) throw new Error('Never ends')
      this.#fill(1_000)
      for (const line of this.wire.splice(0)) this.hub.read(line, false)
      this.#answer()
      while (this.untaken > 0) this.step({ do: 'taken' })
    }
  }

  #fill(maxBytes: number): void {
    const message = this.setup.publisher.fill('', maxBytes)
    if (message === undefined) return
    const text = message.toString()
    const lines = text.split('\n')
    if (lines.length > 1) expect(text.length).toBeLessThanOrEqual(maxBytes)
    this.wire.push(...lines)
    this.untaken++
  }

  #answer(): void {
    const { hub } = this
    for (const [n, code] of hub.refused) if (n > hub.told) this.setup.publisher.no(n, code)
    hub.told = hub.received
    expect(this.setup.publisher.ok(hub.received)).toBe(true)
  }

  #cut(code: number | undefined, resumes: boolean): void {
    this.wire = []
    this.untaken = 0
    const mustStartOver = this.setup.publisher.down(code)
    this.#connect(resumes && !mustStartOver)
  }

  #connect(resumed: boolean): void {
    if (!resumed) this.hubs.push((this.hub = new ModelHub()))
    const { received, refused } = this.hub
    this.hub.told = received
    this.setup.publisher.welcome(
      welcome({ resumed, last: received, refused: [...refused], ...windowOf(this.window) }),
    )
  }

  #check(): void {
    const { ends, outbox } = this.setup
    for (const how of ends.values()) expect(how).toHaveLength(1)
    for (const entry of outbox.left) expect(entry.isAwaited).toBe(false)
    const numbered = outbox.entries.filter(({ isConfirmed, number }) => isConfirmed && number > 0)
    expect(numbered.length).toBeLessThanOrEqual(this.window)
  }
}

describe('whatever happens to the links', () => {
  test('settles every publish once, in order, and numbers without holes', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, window) => {
        const run = new Run(window)
        for (const step of all) run.step(step)
        run.finish()
        const { ends, outbox } = run.setup
        expect(outbox.left).toEqual(run.published)
        expect([...ends.keys()].toSorted()).toEqual(
          run.published.map(({ event }) => event.id).toSorted(),
        )
        const taken = new Set(run.hubs.flatMap((hub) => hub.taken))
        for (const entry of run.published) {
          const how = ends.get(entry.event.id)
          const isTaken = how?.[0] === 'confirmed' && taken.has(entry.event.id)
          const isRejected = (how?.[0] as BusError | undefined)?.outcome === 'rejected'
          expect(isTaken || isRejected || !entry.isConfirmed).toBe(true)
        }
        const place = new Map(run.published.map(({ event }, i) => [event.id, i]))
        for (const hub of run.hubs) {
          const places = hub.taken.map((id) => place.get(id) ?? -1)
          expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('numbers', () => {
  test('are given at the first writing, contiguous from 1, and kept when the session goes on', () => {
    const { publisher, publish } = setUp()
    publisher.welcome(welcome())
    for (let n = 0; n < 3; n++) publish()
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['pub 1 e1', 'pub 2 e2', 'pub 3 e3'])
    publisher.down(1006)
    publisher.welcome(welcome({ resumed: true, last: 1 }))
    publish()
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['pub 2 e2', 'pub 3 e3', 'pub 4 e4'])
  })

  test('start over in a new session, and what was under way is flagged as sent before', () => {
    const { publisher, publish, outbox } = setUp()
    publisher.welcome(welcome())
    for (let n = 0; n < 3; n++) publish()
    publisher.fill('', 1_000)
    publisher.ok(1)
    publisher.down(1006)
    publisher.welcome(welcome({ last: 7 }))
    publish()
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['rep 1 e2', 'rep 2 e3', 'pub 3 e4'])
    expect(outbox.left).toHaveLength(1)
  })

  test('are not taken from what was refused before by what has the same number now', () => {
    const { publisher, publish, ends } = setUp()
    publisher.welcome(welcome())
    for (let n = 0; n < 3; n++) publish()
    publisher.fill('', 1_000)
    publisher.no(2, 'size')
    publisher.down(1006)
    publisher.welcome(welcome())
    // e2 still waits for its turn to leave, with a number of the session before.
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['rep 1 e1', 'rep 2 e3'])
    publisher.no(2, 'auth')
    publisher.ok(2)
    expect(ends.get('e3')).toMatchObject([{ code: 'rejected', message: /auth/ }])
  })
})

describe('a message', () => {
  // Below and above the length from which on a body is written by itself; in one byte, two and more a character.
  const body = fc
    .tuple(
      fc.constantFrom('a', 'ä', '€', '😀', '"'),
      fc.constantFrom(0, 1, 600, 1_023, 1_024, 5_000),
    )
    .map(([char, length]) => JSON.stringify({ payload: char.repeat(length) }))

  test('is its lines in UTF-8, and none takes more bytes than its entry was counted with', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('', 'ack 17'),
        fc.array(body, { maxLength: 8 }),
        (ack, bodies) => {
          const { publisher, outbox } = setUp()
          publisher.welcome(welcome())
          const lines: string[] = ack === '' ? [] : [ack]
          let number = 0
          for (const [i, text] of bodies.entries()) {
            const isConfirmed = i % 2 === 0
            const event = createEvent('order.created', 0, { id: 'i-1' })
            const entry = new ClientOutboxEntry(event, text, isConfirmed)
            entry.isResent = i % 3 === 0
            outbox.entries.push(entry)
            const verb = isConfirmed && entry.isResent ? 'rep' : 'pub'
            const line = `${verb} ${isConfirmed ? ++number : '-'} order.created i-1 ${text}`
            expect(Buffer.byteLength(line) + 1).toBeLessThanOrEqual(entry.lineBytes)
            lines.push(line)
          }
          const message = publisher.fill(ack, Infinity)
          expect(message?.toString() ?? '').toBe(lines.join('\n'))
        },
      ),
    )
  })

  test('stays below its limit, in bytes, unless one line is larger than that', () => {
    const { publisher, publish } = setUp()
    publisher.welcome(welcome())
    for (const bytes of [100, 100, 500, 100]) publish(true, bytes)
    const messages = [1, 2, 3].map(() => publisher.fill('', 300))
    expect(messages.map((message) => linesOf(message))).toEqual([
      ['pub 1 e1', 'pub 2 e2'],
      ['pub 3 e3'],
      ['pub 4 e4'],
    ])
  })

  test('stays below what the hub takes, also when something else comes first', () => {
    const { publisher, publish } = setUp()
    publisher.welcome(welcome({ limits: { ...wireDefaults, maxLineBytes: 200 } }))
    for (let n = 0; n < 3; n++) publish(true, 120)
    expect(linesOf(publisher.fill(`ack 1`.padEnd(90), 10_000))).toEqual(['ack 1'])
    expect(linesOf(publisher.fill('', 10_000))).toEqual(['pub 1 e1'])
  })

  test('never contains an event that would end the link, which is refused instead', () => {
    const { publisher, publish, ends, outbox } = setUp()
    publisher.welcome(welcome({ limits: { ...wireDefaults, maxLineBytes: 200 } }))
    publish(true, 300)
    publish(false, 300)
    publish()
    expect(linesOf(publisher.fill('', 10_000))).toEqual(['pub 1 e3'])
    expect(ends.get('e1')).toMatchObject([{ code: 'too-large', outcome: 'not-sent' }])
    expect(ends.get('e2')).toMatchObject([{ code: 'too-large' }])
    publisher.ok(1)
    expect(outbox.left).toHaveLength(3)
  })
})

describe('the window', () => {
  test('bounds what is not acknowledged in events and in bytes, but lets one event pass', () => {
    const { publisher, publish } = setUp()
    publisher.welcome(welcome(windowOf(2, 50)))
    for (const bytes of [60, 20, 20, 20]) publish(true, bytes)
    const next = (): string[] => linesOf(publisher.fill('', 1_000))
    expect(next()).toEqual(['pub 1 e1'])
    expect(next()).toEqual([])
    publisher.ok(1)
    expect(next()).toEqual(['pub 2 e2', 'pub 3 e3'])
    publisher.ok(2)
    expect(next()).toEqual(['pub 4 e4'])
  })

  test('is that of the last welcome', () => {
    const { publisher, publish } = setUp()
    publisher.welcome(welcome(windowOf(1)))
    for (let n = 0; n < 3; n++) publish()
    expect(linesOf(publisher.fill('', 1_000))).toHaveLength(1)
    publisher.down(1006)
    publisher.welcome(welcome({ resumed: true, last: 1, ...windowOf(2) }))
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['pub 2 e2', 'pub 3 e3'])
  })
})

describe('at most once', () => {
  test('is done when the operating system has the message, in the order of the outbox', () => {
    const { publisher, publish, ends, outbox } = setUp()
    publisher.welcome(welcome())
    publish(false)
    publish()
    publish(false)
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['pub - e1', 'pub 1 e2', 'pub - e3'])
    publisher.ok(1)
    expect(ends.size).toBe(0)
    publisher.taken()
    expect([...ends]).toEqual([
      ['e1', ['sent']],
      ['e3', ['sent']],
      ['e2', ['confirmed']],
    ])
    expect(outbox.left.map(({ event }) => event.id)).toEqual(['e1', 'e2', 'e3'])
  })
})

describe('an event that costs links', () => {
  test.each([1002, 1007, 1009, 4400])('is given up at the third that ends with %i', (code) => {
    const { publisher, publish, ends } = setUp()
    publish()
    publish()
    const verdicts = [1, 2, 3].map(() => {
      publisher.welcome(welcome({ resumed: true }))
      publisher.fill('', 1_000)
      return publisher.down(code)
    })
    expect(verdicts).toEqual([false, false, true])
    expect(ends.get('e1')).toMatchObject([{ code: 'rejected', outcome: 'rejected' }])
    publisher.welcome(welcome())
    expect(linesOf(publisher.fill('', 1_000))).toEqual(['rep 1 e2'])
  })

  test.each([undefined, 1001, 1006, 4408])('is not suspected when a link ends with %s', (code) => {
    const { publisher, publish, ends } = setUp()
    publish()
    for (let n = 0; n < 5; n++) {
      publisher.welcome(welcome({ resumed: true }))
      publisher.fill('', 1_000)
      expect(publisher.down(code)).toBe(false)
    }
    expect(ends.size).toBe(0)
  })

  test('is another one as soon as the first was acknowledged', () => {
    const { publisher, publish, ends } = setUp()
    publish()
    publish()
    const cut = (last: number): boolean => {
      publisher.welcome(welcome({ resumed: true, last }))
      publisher.fill('', 1_000)
      return publisher.down(1009)
    }
    expect([cut(0), cut(0), cut(1), cut(1)]).toEqual([false, false, false, false])
    expect(ends.get('e1')).toEqual(['confirmed'])
    expect(cut(1)).toBe(true)
  })
})

test('says so when the hub acknowledges what it was never sent', () => {
  const { publisher, publish } = setUp()
  publisher.welcome(welcome())
  publish()
  publisher.fill('', 1_000)
  expect([publisher.ok(2), publisher.ok(1), publisher.ok(1), publisher.ok(0)]).toEqual([
    false,
    true,
    true,
    true,
  ])
})

test('settles what the hub had refused when the answer was lost with the link', () => {
  const { publisher, publish, ends } = setUp()
  publisher.welcome(welcome())
  for (let n = 0; n < 3; n++) publish()
  publisher.fill('', 1_000)
  publisher.down(1006)
  publisher.welcome(welcome({ resumed: true, last: 3, refused: [[2, 'rate']] }))
  expect([...ends].map(([id, [how]]) => [id, typeof how === 'string' ? how : how?.code])).toEqual([
    ['e2', 'rejected'],
    ['e1', 'confirmed'],
    ['e3', 'confirmed'],
  ])
})
