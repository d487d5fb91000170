/** Advice for each code of the bus: what happened and what to do. `docs/errors.md` says the same, which a test compares. */
import type { BusErrorCode } from '@bus/core'
import type { Advice } from './advice.ts'

/** By code. */
export const ERROR_ADVICE: Readonly<Record<BusErrorCode, Advice>> = Object.freeze({
  config: {
    message:
      'An option or argument is not of its accepted form; `path` names it. Nothing was done.',
    suggestion: 'Correct the call. The message says what is accepted.',
  },
  validation: {
    message:
      'The payload does not fit the schema of its type; `issues` are those of the validator.',
    suggestion:
      'Correct the payload, or the schema. On the way in: the publisher has another schema.',
  },
  serialization: {
    message:
      'The payload cannot be encoded as a frame: a cycle, a `BigInt`, a `toJSON` that throws, a value that JSON omits.',
    suggestion: 'Publish plain data, or choose a codec that supports your values.',
  },
  'too-large': {
    message: 'An event or a frame is above a limit; `size` and `limit` are in bytes.',
    suggestion: 'Send less, or a reference to it; raise the limit on both sides.',
  },
  decode: {
    message: 'A frame from the other side is not an event. It is in the dead letters as received.',
    suggestion: 'Compare the codec of both sides.',
  },
  'queue-full': {
    message: 'A queue with strategy `reject` is full.',
    suggestion: 'Wait for the `ready` event and publish again, or choose `block`.',
  },
  dropped: {
    message: 'A queue with strategy `drop-oldest` or `drop-newest` dropped the event.',
    suggestion: 'Nothing, if losing some is agreed. Else choose `block` or `reject`.',
  },
  'rate-limited': {
    message:
      'A rate limit refused the event; `reason` says why. Not retryable if `retryAfterMs` is endless.',
    suggestion:
      "Wait for `retryAfterMs`, or let events wait with `onLimit: 'queue'`; correct an `invalid-cost`.",
  },
  timeout: {
    message: 'A deadline that the caller or an option set has passed.',
    suggestion: 'Look at `outcome` before publishing again: `unknown` can become a duplicate.',
  },
  aborted: {
    message:
      'The caller’s `AbortSignal` ended the wait; `cause` is its reason and `name` is `AbortError`.',
    suggestion: 'Nothing: the caller requested it.',
  },
  closed: { message: 'The bus, transport or queue is closed.', suggestion: 'Make a new bus.' },
  draining: {
    message: 'The bus is draining and accepts nothing new.',
    suggestion: 'Publish before `drain`, or through another bus.',
  },
  unsupported: {
    message: 'The transport does not support this call; `capability` names what is missing.',
    suggestion: 'Check `capabilities` first, or choose another transport.',
  },
  'unknown-subscription': {
    message: '`unsubscribe` got an id that names no live subscription.',
    suggestion: 'Keep the subscription that `subscribe` returned; it ended already.',
  },
  'circuit-open': {
    message: 'The circuit breaker is open after repeated failures, so the call was not made.',
    suggestion: 'Wait; the breaker probes by itself. Find out why the calls before it failed.',
  },
  connection: {
    message:
      'The connection could not be made, or broke; `cause` is the error of the operating system.',
    suggestion: 'Nothing, while reconnecting is on. Else check address, network and certificate.',
  },
  disconnected: {
    message: 'The connection was lost during the call.',
    suggestion:
      'Look at `outcome`: publish again if it is `not-sent`, or if duplicates are harmless.',
  },
  'no-connections': {
    message: 'No member of a pool, or no transport of several, is ready, and none was waited for.',
    suggestion:
      "Wait for one: `connect({ retry: true })`, or leave `whenDisconnected` at `'wait'`.",
  },
  detached: {
    message: 'This transport has handed its connection to another owner by `detach`.',
    suggestion: 'Use the transport that `adopt` gave.',
  },
  handshake: {
    message:
      'The server answered the upgrade with something else; `status`, `headers` and `body` are its answer.',
    suggestion: 'Read `status`. A 4xx says that the address or the headers are wrong.',
  },
  auth: {
    message: 'The server does not accept our credentials.',
    suggestion:
      'Get other credentials; with `headers` as a function, fresh ones are fetched for each attempt.',
  },
  bootstrap: {
    message: 'The frames that make a connection ready could not be made, sent or answered.',
    suggestion: 'See `cause`: it is what your `onOpen` threw, or the deadline.',
  },
  protocol: {
    message: 'The other side violated the protocol, or chose a subprotocol that was not offered.',
    suggestion: 'Compare versions and subprotocols of both sides.',
  },
  'heartbeat-timeout': {
    message:
      'Nothing arrived from the other side for too long, or no confirmation of what was published; the connection is treated as dead.',
    suggestion:
      'Nothing, while reconnecting is on. If it is frequent, compare the intervals with those of proxies in between.',
  },
  'attempts-exhausted': {
    message: 'Every permitted attempt failed; `cause` is the last failure.',
    suggestion: 'The event is in the dead letters. Redrive it when the cause is gone.',
  },
  rejected: {
    message: 'The other side refused this event.',
    suggestion: 'Read its reason in the message; the same event will be refused again.',
  },
  rpc: {
    message:
      'The server answered a request with an error; `rpcCode` and `data` are from its answer.',
    suggestion: "Look `rpcCode` up in the server's documentation.",
  },
  'duplicate-id': {
    message: 'A request has the id of one that is still pending.',
    suggestion: 'Leave `id` out, so that each request gets one of its own.',
  },
  recording: {
    message: 'A recording, or a line of one, cannot be read or written; `problem` says what it is.',
    suggestion: 'Look at the path and its permissions; all else goes on, unrecorded.',
  },
  handler: {
    message: 'The handler of a subscription failed; `cause` is what it threw.',
    suggestion: 'Correct the handler; the error policy says what became of the event.',
  },
})

/** Whether the text is a code of the bus. */
export function isBusErrorCode(text: string): text is BusErrorCode {
  return Object.hasOwn(ERROR_ADVICE, text)
}
