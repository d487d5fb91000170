/** The hub's process. It confirms an event once every subscriber has it, so that no event is with the hub alone. */
import { createHub } from '@bus/websocket/hub'
import { obey, tell } from './parent.ts'

obey(async (order) => {
  if (order.kind !== 'listen') return
  const hub = await createHub({
    port: order.port,
    allowAnonymous: true,
    confirm: 'subscribers',
    // Our clients are back within 100 ms and an attempt; see `linkTo`.
    graceMs: 1_000,
  })
  tell({ kind: 'listening', port: hub.port })
})
