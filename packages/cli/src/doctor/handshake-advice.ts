/** Advice for the statuses with which a server refuses the handshake. */
import { advice, type Advice } from './advice.ts'

const SERVER = advice(
  'The server failed, or the gateway before it found none.',
  'Nothing, while reconnecting is on. If it lasts, look at the server.',
)

/** By status. */
export const HANDSHAKE_ADVICE: ReadonlyMap<number, Advice> = new Map([
  [
    200,
    advice('The server answered like a web page.', 'Check the path: no WebSocket is served there.'),
  ],
  [
    301,
    advice(
      'The server has moved.',
      'Use the address of the header `location`; redirects are not followed.',
    ),
  ],
  [
    302,
    advice(
      'The server redirects.',
      'Use the address of the header `location`; redirects are not followed.',
    ),
  ],
  [
    307,
    advice(
      'The server redirects.',
      'Use the address of the header `location`; redirects are not followed.',
    ),
  ],
  [
    308,
    advice(
      'The server has moved.',
      'Use the address of the header `location`; redirects are not followed.',
    ),
  ],
  [
    400,
    advice(
      'The server did not understand the handshake.',
      'Check path, query, headers and subprotocols; a proxy may have removed the upgrade.',
    ),
  ],
  [
    401,
    advice(
      'The server requires credentials.',
      'Give credentials in `headers`, fresh ones if they have expired.',
    ),
  ],
  [
    403,
    advice(
      'The server does not permit the connection.',
      'Check the permissions, and the header `origin` where the server requires one.',
    ),
  ],
  [404, advice('The server has no such path.', 'Check the path of the URL.')],
  [407, advice('A proxy requires credentials.', 'Give the proxy its credentials.')],
  [
    408,
    advice(
      'The server did not wait for the handshake.',
      'Nothing, while reconnecting is on. If it lasts, look at the network.',
    ),
  ],
  [
    426,
    advice(
      'The server got a request without an upgrade, or wants another upgrade than WebSocket.',
      'A proxy in between has removed `Upgrade` and `Connection`: let it pass them on, with HTTP/1.1. Else look at what the answer names in `upgrade`.',
    ),
  ],
  [
    429,
    advice(
      'The server received too many requests.',
      'Nothing: `retry-after` is obeyed. Connect less often, or from fewer processes.',
    ),
  ],
  [500, SERVER],
  [502, SERVER],
  [503, SERVER],
  [504, SERVER],
])
