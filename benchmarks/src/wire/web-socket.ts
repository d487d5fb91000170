/** The little of WebSocket that a counting subscriber needs: the handshake, and text frames to the server. */
import { randomBytes } from 'node:crypto'
import { RawConnection } from './raw-connection.ts'

/** Connects and upgrades; `subprotocol` is offered where given. */
export async function upgradeRaw(url: string, subprotocol?: string): Promise<RawConnection> {
  const { host, pathname, search } = new URL(url)
  const connection = await RawConnection.open(url)
  const upgraded = connection.expect('\r\n\r\n')
  connection.send(
    [
      `GET ${pathname}${search} HTTP/1.1`,
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
      '\r\n',
    ].join('\r\n'),
  )
  const [status = ''] = (await upgraded).toString('latin1').split('\r\n', 1)
  if (!status.includes(' 101 ')) throw new Error(`The handshake was answered with ${status}`)
  return connection
}

/** A masked text frame of less than 126 bytes. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length > 125) throw new RangeError('The text is too long for a short frame')
  const mask = randomBytes(4)
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, masked])
}
