/** Makes every test file fail on a warning of the process or a rejection that nobody handles. */
import { afterAll, beforeAll, expect } from 'vitest'

const complaints: string[] = []
/** A bus without a listener for errors says so: many tests make errors, and look at something else. */
const isOfBus = (error: unknown): boolean =>
  (error as { code?: unknown } | undefined)?.code === 'BUS_UNHANDLED_ERROR'

const complain = (error: unknown): void => {
  if (isOfBus(error)) return
  complaints.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
}

beforeAll(() => {
  process.on('warning', complain)
  process.on('unhandledRejection', complain)
})

afterAll(() => {
  process.off('warning', complain)
  process.off('unhandledRejection', complain)
  expect(complaints.splice(0)).toEqual([])
})
