/** The hub's process. */
import { createHub } from '@bus/websocket/hub'
import { obey, tell } from './parent.ts'

obey(async (order) => {
  if (order.kind !== 'listen') return
  const hub = await createHub({ port: order.port, allowAnonymous: true })
  tell({ kind: 'listening', port: hub.port })
})
