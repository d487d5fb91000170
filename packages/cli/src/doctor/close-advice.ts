/** Advice for the codes with which a WebSocket connection ends; the transport says which of them are retried. */
import { advice, type Advice } from './advice.ts'

const WAIT = 'Nothing, while reconnecting is on.'
const CREDENTIALS = 'Check the credentials and what they allow; fresh ones may help.'

/** By close code. */
export const CLOSE_ADVICE: ReadonlyMap<number, Advice> = new Map([
  [1000, advice('The connection has done what it was made for.', WAIT)],
  [1001, advice('The other side is shutting down or moving away.', WAIT)],
  [
    1002,
    advice(
      'A frame violated the WebSocket protocol.',
      'Look for a proxy in between that does not support WebSocket; update both sides.',
    ),
  ],
  [
    1003,
    advice(
      'The other side does not accept this kind of message.',
      'Send text where you send binary, or the other way round: see the codec.',
    ),
  ],
  [1005, advice('The other side closed without saying why.', `${WAIT} Its log may say more.`)],
  [
    1006,
    advice(
      'The connection broke without a closing handshake.',
      `${WAIT} If it is frequent, look at the network and at the idle timeouts of proxies in between.`,
    ),
  ],
  [1007, advice('A text message was not valid UTF-8.', 'Send bytes as binary messages.')],
  [
    1008,
    advice(
      'The other side refuses us for a reason of its own.',
      'Read the reason; often it is a limit or a missing permission.',
    ),
  ],
  [
    1009,
    advice(
      'A message was larger than the other side accepts.',
      'Send less, or a reference to it; raise the limit of the other side.',
    ),
  ],
  [
    1010,
    advice(
      'The server does not support an extension that the client demands.',
      'Enable the extension at the server, or do not demand it.',
    ),
  ],
  [1011, advice('The other side failed.', `${WAIT} The log of the other side says why.`)],
  [1012, advice('The server is restarting.', WAIT)],
  [
    1013,
    advice('The server is overloaded.', `${WAIT} Publish less, or give the server more capacity.`),
  ],
  [
    1014,
    advice(
      'A gateway got no usable answer from the server behind it.',
      `${WAIT} Look at the server behind the gateway.`,
    ),
  ],
  [
    1015,
    advice(
      'The TLS handshake failed.',
      'Check the certificate of the server and the option `tls`.',
    ),
  ],
  [3000, advice('The other side does not accept our credentials.', CREDENTIALS)],
  [3003, advice('The other side does not permit the connection.', CREDENTIALS)],
  [3008, advice('The other side waited too long.', WAIT)],
  [
    4400,
    advice(
      'The other side could not read a frame, which is a defect in one of the two.',
      'Compare the versions of both sides, and record the connection to see the frame.',
    ),
  ],
  [4401, advice('The credentials are missing or expired; fresh ones may help.', CREDENTIALS)],
  [
    4403,
    advice(
      'The credentials are valid and do not allow this.',
      'Ask the operator of the hub for the permission.',
    ),
  ],
  [
    4408,
    advice(
      'Nothing arrived for too long, so the other side closed the connection.',
      `${WAIT} If it is frequent, compare the heartbeats of both sides.`,
    ),
  ],
  [4409, advice('The session does not fit the one on the server; a new one is needed.', WAIT)],
  [
    4410,
    advice(
      'A newer connection took over this session.',
      'Make sure that only one process uses the session.',
    ),
  ],
  [
    4429,
    advice(
      'Too much was sent in too short a time.',
      'Publish less at once; `RateLimiter` of `@bus/rate-limit` paces it.',
    ),
  ],
  [4503, advice('The server cannot serve now.', WAIT)],
])
