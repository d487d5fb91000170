/** A subscriber that speaks `bus.v1` over a bare socket: it counts events and acknowledges them by their number. */
import type { RawSubscriber } from '../contenders/contender.ts'
import { textFrame, upgradeRaw } from './web-socket.ts'

/** Events between two acknowledgements; the hub's window holds 16,384. */
const ACK_EVERY = 1_024

/** Says hello and subscribes to `order.created` at least once; resolves once the hub has welcomed it. */
export async function subscribeToBusV1(url: string): Promise<RawSubscriber> {
  const connection = await upgradeRaw(url, 'bus.v1')
  const welcomed = connection.expect('"gaps":[]')
  const subs = [{ id: 1, pattern: 'order.created', mode: 'alo' }]
  connection.send(textFrame(`hello ${JSON.stringify({ v: 1, subs })}`))
  const welcome = (await welcomed).toString('latin1')
  const start = /"subs":\[\{"id":1,"offset":(\d+)\}\]/.exec(welcome)?.[1]
  if (start === undefined) throw new Error(`The hub refused the subscription: ${welcome}`)
  let acked = 0
  return {
    connection,
    // The hub's log holds nothing but orders: the offset of the last is where it began and how many have come.
    counted: (events) => {
      if (events - acked < ACK_EVERY) return
      acked = events
      connection.send(textFrame(`ack ${Number(start) + acked}`))
    },
  }
}
