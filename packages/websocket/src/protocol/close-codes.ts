/** The close codes: one table with the name of each code, whether to connect again, and what it means. */

/** One close code and what it means. */
export interface CloseCode {
  readonly code: number
  /** Short and stable: `going-away`. */
  readonly name: string
  /** Whether connecting again can help. */
  readonly retryable: boolean
  /** What happened, as a sentence. */
  readonly sentence: string
}

type Row = readonly [code: number, name: string, retryable: boolean, sentence: string]

const TABLE = [
  [1000, 'normal', true, 'The connection has done what it was made for.'],
  [1001, 'going-away', true, 'The other side is shutting down or moving away.'],
  [1002, 'protocol-error', true, 'A frame violated the WebSocket protocol.'],
  [1003, 'unsupported-data', true, 'The other side does not accept this kind of message.'],
  [1005, 'no-code', true, 'The other side closed without saying why.'],
  [1006, 'abnormal', true, 'The connection broke without a closing handshake.'],
  [1007, 'invalid-payload', true, 'A text message was not valid UTF-8.'],
  [1008, 'policy-violation', false, 'The other side refuses us for a reason of its own.'],
  [1009, 'too-large', true, 'A message was larger than the other side accepts.'],
  [
    1010,
    'missing-extension',
    false,
    'The server does not support an extension that the client demands.',
  ],
  [1011, 'internal-error', true, 'The other side failed.'],
  [1012, 'service-restart', true, 'The server is restarting.'],
  [1013, 'try-again-later', true, 'The server is overloaded.'],
  [1014, 'bad-gateway', true, 'A gateway got no usable answer from the server behind it.'],
  [1015, 'tls-failed', false, 'The TLS handshake failed.'],
  [3000, 'unauthorized', false, 'The other side does not accept our credentials.'],
  [3003, 'forbidden', false, 'The other side does not permit the connection.'],
  [3008, 'timeout', true, 'The other side waited too long.'],
  [
    4400,
    'bad-frame',
    false,
    'The other side could not read a frame, which is a defect in one of the two.',
  ],
  [4401, 'unauthorized', true, 'The credentials are missing or expired; fresh ones may help.'],
  [4403, 'forbidden', false, 'The credentials are valid and do not allow this.'],
  [4408, 'timeout', true, 'Nothing arrived for too long, so the other side closed the connection.'],
  [4409, 'conflict', true, 'The session does not fit the one on the server; a new one is needed.'],
  [4410, 'replaced', false, 'A newer connection took over this session.'],
  [4429, 'rate-limited', true, 'Too much was sent in too short a time.'],
  [4503, 'unavailable', true, 'The server cannot serve now.'],
] as const satisfies readonly Row[]

/** Every known code, in ascending order. */
export const CLOSE_CODES: readonly CloseCode[] = Object.freeze(
  (TABLE as readonly Row[]).map(([code, name, retryable, sentence]) =>
    Object.freeze({ code, name, retryable, sentence }),
  ),
)

const BY_CODE: ReadonlyMap<number, CloseCode> = new Map(CLOSE_CODES.map((row) => [row.code, row]))

/**
 * What a code means, also for codes that are not in the table: 4000 to 4499 say that the client did something
 * wrong, as 4xx does in HTTP, so they are not retried; all others are.
 */
export function closeCode(code: number): CloseCode {
  const known = BY_CODE.get(code)
  if (known !== undefined) return known
  const retryable = !(code >= 4000 && code <= 4499)
  return { code, name: 'unknown', retryable, sentence: describeUnknown(code) }
}

function describeUnknown(code: number): string {
  if (!Number.isInteger(code) || code < 1000 || code > 4999) return 'This is not a close code.'
  if (code < 3000) return 'A code of the protocol that has no meaning yet.'
  if (code < 4000) return 'A code of a framework, not known here.'
  return code < 4500
    ? 'A code of the application: something that this side did.'
    : 'A code of the application: something that befell the other side.'
}
