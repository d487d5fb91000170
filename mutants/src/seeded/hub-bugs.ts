/** Bugs of the hub. */
import type { SeededBug } from './seeded-bug.ts'

const HUB = 'packages/websocket/src/hub/bus-v1'
const WIRE = 'packages/websocket/test/hub-protocol.test.ts'
const BUS_V1 = 'packages/websocket/test/conformance/bus-v1.test.ts'

export const HUB_BUGS: readonly SeededBug[] = [
  {
    name: 'takes-a-number-twice',
    bug: 'relays an event again that its publisher sends again',
    file: `${HUB}/sessions/publisher-session.ts`,
    find: "if (n <= this.#received) return 'again'",
    replace: 'if (n <= this.#received) return undefined',
    caughtBy: { [WIRE]: ['W32', 'W81'] },
  },
  {
    name: 'forgets-the-fence',
    bug: 'lets an older link of a session live beside the new one',
    file: `${HUB}/connections/greeting.ts`,
    find: '  if (resumed) sessions.fence(known)\n',
    replace: '',
    caughtBy: { [WIRE]: ['W100'] },
  },
  {
    name: 'replays-without-window',
    bug: 'sends more than the subscriber has room for',
    file: `${HUB}/sessions/subscriber-session.ts`,
    find: '      this.#unackedEvents += events.count\n      this.#unackedBytes += events.bytes\n',
    replace: '',
    caughtBy: { [WIRE]: ['W70', 'W71'] },
  },
  {
    name: 'evicts-what-is-needed',
    bug: 'lets events leave the log that a subscriber still needs',
    file: `${HUB}/log/log-retention.ts`,
    find: '    if (!this.#mayLeave(log.firstOffset, now)) return false\n',
    replace: '',
    caughtBy: { 'packages/websocket/test/hub-v1-flow.test.ts': ['F95'] },
  },
  {
    name: 'ignores-hold-ms',
    bug: 'lets a subscriber that does not move hold up the publishers for ever',
    file: `${HUB}/log/log-retention.ts`,
    find: '      if (now - session.blockingSince < holdMs) continue\n',
    replace: '      if (now - session.blockingSince < Infinity * holdMs) continue\n',
    caughtBy: { 'packages/websocket/test/hub-v1-flow.test.ts': ['F96'] },
  },
  {
    name: 'tells-no-overrun',
    bug: 'goes on behind what was lost without a word',
    file: `${HUB}/log/log.ts`,
    find: 'return cursor + 1 >= this.#firstOffset ? 0 : this.#marks.highest(matches, cursor)',
    replace: 'return cursor < 0 ? this.#marks.highest(matches, cursor) : 0',
    caughtBy: { [WIRE]: ['W90'], 'packages/websocket/test/quiet-subscribers.test.ts': ['F85'] },
  },
  {
    name: 'matches-grants-loosely',
    bug: 'takes a pattern that is wider than the grant',
    file: `${HUB}/admission/authenticator.ts`,
    find: "if (rule === undefined || token === '>') return false",
    replace: "if (rule === undefined) return false\n    if (token === '>') return true",
    caughtBy: { 'packages/websocket/test/hub-grants.test.ts': ['F147'] },
  },
  {
    name: 'takes-odd-grants-for-none',
    bug: 'lets a principal in whose grants are not of the accepted form',
    file: `${HUB}/admission/authenticator.ts`,
    find: "if (!isRecord(grants)) throw notReturned('a principal whose `grants` are an object', grants)",
    replace: 'if (!isRecord(grants)) return',
    caughtBy: { 'packages/websocket/test/hub-fail-closed.test.ts': ['F147'] },
  },
  {
    name: 'permits-odd-answers',
    bug: 'takes any answer of `authorize` that is not false for yes',
    file: `${HUB}/admission/authenticator.ts`,
    find: "if (typeof answer === 'boolean') return answer",
    replace: 'return answer !== false',
    caughtBy: { 'packages/websocket/test/hub-fail-closed.test.ts': ['F147'] },
  },
  {
    name: 'revokes-the-connected-only',
    bug: 'lets in who was revoked while it was authenticated',
    file: `${HUB}/admission/authenticator.ts`,
    find: 'for (const revoked of this.#revoked) revoked.add(principalId)',
    replace: 'for (const revoked of this.#revoked) revoked.delete(principalId)',
    caughtBy: { 'packages/websocket/test/hub-fail-closed.test.ts': ['F146'] },
  },
  {
    name: 'shares-sessions',
    bug: 'gives a session to another principal that names it',
    file: `${HUB}/sessions/session.ts`,
    find: 'if (session === undefined || session.principalId !== principal.id) return undefined',
    replace: 'if (session === undefined) return undefined',
    caughtBy: { [WIRE]: ['W89'] },
  },
  {
    name: 'ignores-the-largest-size',
    bug: 'takes events that are larger than it says it takes',
    file: `${HUB}/publishing/publishing.ts`,
    find: "    if (bytes > this.#options.maxEventBytes) return 'size'\n",
    replace: '',
    caughtBy: { [WIRE]: ['W38'] },
  },
  {
    name: 'passes-by-what-is-wanted',
    bug: 'goes to the end of the log although something up to there is wanted',
    file: `${HUB}/sessions/subscriber-session.ts`,
    find: '?.firstBehind(this.#position) !== Infinity',
    replace: '?.firstBehind(this.#position) === undefined',
    caughtBy: { [BUS_V1]: ['C1', 'F1'] },
  },
]
