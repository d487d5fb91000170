/** Heartbeats inside the messages of other servers: of Deribit, of Binance, and a general one. */
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import type { HeartbeatProfile } from '@bus/websocket'
import type { Frame } from '@bus/websocket/protocol'

/** Begins the ids of what we answer to Deribit, whose own answer to that means nothing to us. */
const TEST_ID = 'heartbeat-'

/** Answers Deribit's `test_request`, and takes its `heartbeat` notifications out of the stream. */
export function deribitHeartbeat(): HeartbeatProfile {
  let id = 0
  return {
    name: 'deribit',
    onFrame: (frame) => {
      const message = parseIfHas(frame, '"heartbeat')
      if (isAnswerToTest(message?.['id'])) return {}
      if (message?.['method'] !== 'heartbeat') return undefined
      const params = message['params'] as { readonly type?: unknown } | undefined
      if (params?.type !== 'test_request') return {}
      id += 1
      const request = { jsonrpc: '2.0', id: `${TEST_ID}${id}`, method: 'public/test', params: {} }
      return { reply: JSON.stringify(request) }
    },
  }
}

function isAnswerToTest(id: unknown): boolean {
  return typeof id === 'string' && id.startsWith(TEST_ID)
}

/** Answers `{"ping": n}` with `{"pong": n}`, as several exchanges send beside or instead of ping frames. */
export function binanceHeartbeat(): HeartbeatProfile {
  return {
    name: 'binance',
    onFrame: (frame) => {
      const message = parseIfHas(frame, '"ping"')
      if (message === undefined || !('ping' in message)) return undefined
      return { reply: JSON.stringify({ pong: message['ping'] }) }
    },
  }
}

/** Sends the same message at an interval, and takes messages that a test recognises as the answer. */
export function genericHeartbeat(
  options: {
    /** What to send at each tick. @default '{"type":"ping"}' */
    readonly message?: Frame | undefined
    /** @default 30_000 */
    readonly intervalMs?: number | undefined
    /** Whether a frame is the server's heartbeat. @default messages of type `pong` */
    readonly isAnswer?: ((frame: Frame) => boolean) | undefined
  } = {},
): HeartbeatProfile {
  const { message = '{"type":"ping"}', intervalMs = 30_000 } = options
  const isAnswer = options.isAnswer ?? ((frame) => parseIfHas(frame, '"pong"')?.['type'] === 'pong')
  return {
    name: 'generic',
    intervalMs,
    onTick: () => message,
    onFrame: (frame) => (isAnswer(frame) ? {} : undefined),
  }
}

/** Bytes of a binary frame beyond which it is taken for no heartbeat, and is not read: compressed or not, those are small. */
const MAX_HEARTBEAT_BYTES = 1_024

/** The frame as a JSON object, parsed only when it holds the text: most frames are no heartbeats. */
function parseIfHas(frame: Frame, text: string): Record<string, unknown> | undefined {
  try {
    const content = textOf(frame)
    if (!content.includes(text)) return undefined
    const value: unknown = JSON.parse(content)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The text of the frame: also of a binary one, as it is or compressed by gzip or deflate. Empty for what is too large. */
function textOf(frame: Frame): string {
  if (typeof frame === 'string') return frame
  if (frame.length > MAX_HEARTBEAT_BYTES) return ''
  const limits = { maxOutputLength: 4 * MAX_HEARTBEAT_BYTES }
  const [first, second] = frame
  if (first === 0x1f && second === 0x8b) return gunzipSync(frame, limits).toString()
  // A message of JSON begins with a brace, which neither form of deflate does.
  if (first === 0x7b) return Buffer.from(frame).toString()
  const isZlib = first === 0x78
  return (isZlib ? inflateSync(frame, limits) : inflateRawSync(frame, limits)).toString()
}
