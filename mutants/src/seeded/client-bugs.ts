/** Bugs of the client. */
import type { SeededBug } from './seeded-bug.ts'

const CLIENT = 'packages/websocket/src/client'
const PUBLISHER = `${CLIENT}/bus-v1/publisher.ts`
const CURSOR = `${CLIENT}/bus-v1/cursor.ts`
const SUBSCRIBER = `${CLIENT}/bus-v1/subscriber.ts`
const BUS_V1 = 'packages/websocket/test/conformance/bus-v1.test.ts'
const PLAIN = 'packages/websocket/test/conformance/plain-json.test.ts'

export const CLIENT_BUGS: readonly SeededBug[] = [
  {
    name: 'skips-resend',
    bug: 'does not write again what was unconfirmed when the link broke',
    file: PUBLISHER,
    find: '    this.#resendAt = 0\n  }\n\n  /**\n   * The link is gone.',
    replace: '    this.#resendAt = this.#inFlight.length\n  }\n\n  /**\n   * The link is gone.',
    caughtBy: { 'packages/websocket/test/bus-v1-publishing.test.ts': ['F79'] },
  },
  {
    name: 'acks-before-the-handler',
    bug: 'acknowledges an event when it comes, and not when its handler is done',
    file: SUBSCRIBER,
    find: 'cursor.end(offset, settling)',
    replace: 'cursor.end(offset, 0)',
    caughtBy: { 'packages/websocket/test/bus-v1-subscribing.test.ts': ['F95'] },
  },
  {
    name: 'drops-dedupe',
    bug: 'handles again what the hub sends again',
    file: CURSOR,
    find: 'if (offset <= this.#seen) return 0\n',
    replace: 'if (offset < 0) return 0\n',
    caughtBy: { [BUS_V1]: ['G13'] },
  },
  {
    name: 'cursor-off-by-one',
    bug: 'goes on one event too far after a lost link',
    file: SUBSCRIBER,
    find: 'const offset = epoch === undefined ? 0 : this.#cursor.position\n',
    replace: 'const offset = epoch === undefined ? 0 : this.#cursor.position + 1\n',
    caughtBy: { [BUS_V1]: ['G2'] },
  },
  {
    name: 'forgets-subscriptions',
    bug: 'does not ask for its subscriptions again on a new link',
    file: `${CLIENT}/bus-v1/bus-v1-session.ts`,
    find: 'const session = this.#sid === undefined ? {} : { sid: this.#sid }',
    replace: 'const session = this.#sid === undefined ? {} : { sid: this.#sid, subs: [] as const }',
    caughtBy: { [BUS_V1]: ['G1'] },
  },
  {
    name: 'keeps-gaps-quiet',
    bug: 'does not tell the gaps of a welcome',
    file: SUBSCRIBER,
    find: 'for (const gap of welcome.gaps) this.gap(gap)',
    replace: 'for (const gap of welcome.gaps) void gap',
    caughtBy: { [BUS_V1]: ['G3'] },
  },
  {
    name: 'confirms-one-too-many',
    bug: 'takes an acknowledgement for one event more than it names',
    file: PUBLISHER,
    find: '    this.#acked = n\n    this.#sweep()',
    replace: '    this.#acked = n + 1\n    this.#sweep()',
    caughtBy: { [BUS_V1]: ['E4'] },
  },
  {
    name: 'resets-backoff-on-open',
    bug: 'starts its backoff anew with every link that opens',
    file: `${CLIENT}/reconnect/reconnect.ts`,
    find: '    this.#authRefusals = 0\n  }',
    replace: '    this.#authRefusals = 0\n    this.#failures = 0\n  }',
    caughtBy: { 'packages/websocket/test/reconnecting.test.ts': ['F37'] },
  },
  {
    name: 'ignores-the-high-water-mark',
    bug: 'gives the socket whatever there is, however much it holds already',
    file: `${CLIENT}/outbox/writer.ts`,
    find: 'while (socket.bufferedAmount < this.#ports.highWaterMarkBytes) {',
    replace: 'for (;;) {',
    caughtBy: { 'packages/websocket/test/publishing.test.ts': ['F48'] },
  },
  {
    name: 'forgives-dead-peers',
    bug: 'keeps a link whose other end answers nothing any more',
    file: `${CLIENT}/link/link.ts`,
    find: 'lost: (error) => this.fail(error),',
    replace: 'lost: () => {},',
    caughtBy: { [BUS_V1]: ['G6'], [PLAIN]: ['G6'] },
  },
  {
    name: 'waits-for-the-breaker',
    bug: 'waits for as long as the breaker is open before it dials again',
    file: `${CLIENT}/reconnect/reconnect.ts`,
    find: '    const delayMs = this.#budget.delayMs(cause)\n',
    replace:
      "    const openMs = this.#breaker?.state === 'open' ? 60_000 : 0\n    const delayMs = this.#budget.delayMs(cause) + openMs\n",
    caughtBy: {
      'packages/websocket/test/coming-back.test.ts': ['F170'],
      [`${CLIENT}/reconnect/reconnect.test.ts`]: ['F170'],
    },
  },
  {
    name: 'remembers-the-url',
    bug: 'calls the function for the URL once, and dials what it gave for ever',
    file: `${CLIENT}/link/dial.ts`,
    find: '    value = await option(context)\n',
    replace:
      '    const kept = option as { made?: unknown }\n    value = kept.made ??= await option(context)\n',
    caughtBy: { 'packages/websocket/test/endpoints.test.ts': ['F171'] },
  },
  {
    name: 'stays-with-the-first-url',
    bug: 'dials the first URL of a list whatever happens',
    file: `${CLIENT}/link/dial.ts`,
    find: '(url[turn % url.length] as string)',
    replace: '(url[turn * 0] as string)',
    caughtBy: { 'packages/websocket/test/endpoints.test.ts': ['F171'] },
  },
  {
    name: 'takes-a-400-for-the-end',
    bug: 'gives up a server that refuses unknown subprotocols with a status',
    file: `${CLIENT}/link/dial.ts`,
    find: "UNKNOWN_SUBPROTOCOL.has(error.status) ? 'possible' : undefined",
    replace: 'undefined',
    caughtBy: { 'packages/websocket/test/bus-v1-fallback.test.ts': ['F172'] },
  },
  {
    name: 'keeps-silence-quiet',
    bug: 'says nothing of a server that takes events and never answers',
    file: `${CLIENT}/silence.ts`,
    find: 'else suspect(',
    replace: 'else void (',
    caughtBy: { 'packages/websocket/test/bus-v1-fallback.test.ts': ['F173'] },
  },
]
