/** The parent, as a child process sees it. */
import type { News, Order } from './messages.ts'

/** Tells the parent. */
export function tell(news: News): void {
  process.send?.(news)
}

/** Passes each command to the handler. What it throws is sent to the parent, which then ends the job. */
export function obey(handle: (order: Order) => void | Promise<void>): void {
  // Ctrl-C reaches the whole group of processes; the parent decides how it ends.
  process.on('SIGINT', () => {})
  process.on('disconnect', () => process.exit())
  const fail = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error)
    tell({ kind: 'failed', message })
  }
  process.on('message', (order) => {
    void (async () => {
      try {
        await handle(order as Order)
      } catch (error) {
        fail(error)
      }
    })()
  })
}
