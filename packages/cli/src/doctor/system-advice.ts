/** Advice for the codes of the system, of TLS and of the library under the WebSocket transport. */
import { advice, type Advice } from './advice.ts'

const UNTRUSTED =
  'Give the certificate of its authority in `tls.ca`, or let the server send the whole chain.'
const BAD_FRAME =
  'Nothing, while reconnecting is on. If it is frequent, record the connection, and look for a proxy in between that changes frames.'
const badFrame = (what: string): Advice => advice(`The other side sent a frame ${what}.`, BAD_FRAME)

/** Codes of Node and OpenSSL that say that a certificate is not to be trusted. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT_|ERROR_IN_CERT_|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_)/

/** By code. `CERT_*` stands for the codes of certificates that have no row of their own. */
export const SYSTEM_ADVICE: ReadonlyMap<string, Advice> = new Map([
  [
    'ECONNREFUSED',
    advice(
      'Nothing listens at that address.',
      'Check that the server runs, and the host and port of the URL.',
    ),
  ],
  [
    'ECONNRESET',
    advice(
      'The other side cut the connection.',
      'Nothing, while reconnecting is on. If it is frequent, look at the server and at proxies in between.',
    ),
  ],
  [
    'ECONNABORTED',
    advice(
      'The connection was cut on this machine.',
      'Nothing, while reconnecting is on. Look at the network of this machine.',
    ),
  ],
  [
    'EPIPE',
    advice(
      'The other side had closed when something was written.',
      'Nothing, while reconnecting is on.',
    ),
  ],
  [
    'ETIMEDOUT',
    advice(
      'The other side did not answer in time.',
      'Check the address, and firewalls on the way.',
    ),
  ],
  [
    'ENOTFOUND',
    advice(
      'There is no host of that name.',
      'Check the spelling of the host, and the name servers of this machine.',
    ),
  ],
  [
    'EAI_AGAIN',
    advice(
      'The name server did not answer.',
      'Check the network and the name servers of this machine; trying again can help.',
    ),
  ],
  [
    'EHOSTUNREACH',
    advice('There is no route to the host.', 'Check the address, the routes and the VPN.'),
  ],
  [
    'ENETUNREACH',
    advice(
      'There is no route to the network of the host.',
      'Check the network of this machine and the VPN.',
    ),
  ],
  [
    'EADDRINUSE',
    advice(
      'Something listens at that address already.',
      'Choose another port, or end the other process.',
    ),
  ],
  [
    'EADDRNOTAVAIL',
    advice(
      'This machine does not have that address, or no port is left.',
      'Check the address to listen on; make fewer connections at once.',
    ),
  ],
  [
    'EACCES',
    advice(
      'The system does not permit it.',
      'Check the permissions of the file, or choose a port above 1023.',
    ),
  ],
  [
    'EPERM',
    advice(
      'The system does not permit it.',
      'Check the permissions, and firewalls on this machine.',
    ),
  ],
  ['ENOENT', advice('There is no such file or directory.', 'Check the path.')],
  ['EISDIR', advice('The path is that of a directory.', 'Give the path of a file.')],
  ['ENOTDIR', advice('A part of the path is no directory.', 'Check the path.')],
  ['EROFS', advice('The file system is read-only.', 'Choose a path that can be written to.')],
  [
    'ENOSPC',
    advice('There is no space left on the device.', 'Free some space, or choose another path.'),
  ],
  [
    'EMFILE',
    advice(
      'This process has too many files and sockets open.',
      'Close some, or raise the limit (`ulimit -n`).',
    ),
  ],
  [
    'ENFILE',
    advice(
      'The machine has too many files and sockets open.',
      'Close some, or raise the limit of the system.',
    ),
  ],
  [
    'EPROTO',
    advice(
      'The two sides found no common TLS.',
      'Check that a wss: URL leads to a port with TLS, and which versions of it both sides accept.',
    ),
  ],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    advice('The other side does not speak TLS there.', 'Use a ws: URL, or the port that has TLS.'),
  ],
  [
    'HPE_INVALID_CONSTANT',
    advice(
      'The other side does not speak HTTP there.',
      'Check the port, and use a wss: URL where it has TLS.',
    ),
  ],
  [
    'CERT_HAS_EXPIRED',
    advice(
      'The certificate of the server has expired.',
      'Renew it at the server; check the clock of this machine.',
    ),
  ],
  [
    'CERT_NOT_YET_VALID',
    advice('The certificate of the server is not valid yet.', 'Check the clocks of both machines.'),
  ],
  [
    'CERT_REVOKED',
    advice('The certificate of the server was revoked.', 'Get the server a new one.'),
  ],
  ['CERT_*', advice('The certificate of the server is not to be trusted.', UNTRUSTED)],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    advice('The server signed its certificate itself.', 'Give that certificate in `tls.ca`.'),
  ],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    advice('The authority of the certificate is not known here.', UNTRUSTED),
  ],
  [
    'UNABLE_TO_GET_ISSUER_CERT',
    advice('The authority of the certificate is not known here.', UNTRUSTED),
  ],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    advice('The authority of the certificate is not known here.', UNTRUSTED),
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    advice('The chain of the certificate is not complete.', UNTRUSTED),
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    advice(
      'The certificate is that of another host.',
      'Use the name that the certificate has, or set it in `tls.servername`.',
    ),
  ],
  [
    'HOSTNAME_MISMATCH',
    advice(
      'The certificate is that of another host.',
      'Use the name that the certificate has, or set it in `tls.servername`.',
    ),
  ],
  ['WS_ERR_EXPECTED_FIN', badFrame('that is fragmented and must not be')],
  ['WS_ERR_EXPECTED_MASK', badFrame('without a mask')],
  ['WS_ERR_UNEXPECTED_MASK', badFrame('with a mask')],
  ['WS_ERR_INVALID_CLOSE_CODE', badFrame('with a close code that must not be sent')],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', badFrame('of control that is too long')],
  ['WS_ERR_INVALID_OPCODE', badFrame('of an unknown kind')],
  ['WS_ERR_INVALID_UTF8', badFrame('of text that is not UTF-8')],
  ['WS_ERR_UNEXPECTED_RSV_1', badFrame('that is compressed although that was not agreed')],
  ['WS_ERR_UNEXPECTED_RSV_2_3', badFrame('with reserved bits')],
  [
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    advice('The other side cut a message into too many pieces.', 'Send larger pieces.'),
  ],
  [
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    advice('The other side sent a frame that no memory could hold.', BAD_FRAME),
  ],
  [
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    advice(
      'The other side sent a message above `maxMessageBytes`.',
      'Raise `maxMessageBytes`, or let the server send less.',
    ),
  ],
])

/** Advice for the code; `undefined` where it is not known. */
export function systemAdvice(code: string): Advice | undefined {
  return (
    SYSTEM_ADVICE.get(code) ?? (CERTIFICATE.test(code) ? SYSTEM_ADVICE.get('CERT_*') : undefined)
  )
}
