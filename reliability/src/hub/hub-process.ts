/** The hub's process: waits for the order to listen, and ends with its parent. */
import { createHub } from '@bus/websocket/hub'
import type { HubNews, ListenOrder } from './orders.ts'

const tell = (news: HubNews): void => void process.send?.(news)

async function listen({ port, settings }: ListenOrder): Promise<void> {
  try {
    const hub = await createHub({ port, allowAnonymous: true, ...settings })
    tell({ kind: 'listening', port: hub.port })
  } catch (error) {
    tell({ kind: 'failed', reason: String(error) })
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (order) => void listen(order as ListenOrder))
tell({ kind: 'loaded' })
