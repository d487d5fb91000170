/** Fails every test of a file in which a rejection stays unhandled. */
import { afterEach, beforeEach, expect, vi } from 'vitest'

/** Call it once, at the top. */
export function expectNoUnhandledRejection(): void {
  const unhandled = vi.fn<(reason: unknown) => void>()
  beforeEach(() => {
    unhandled.mockReset()
    process.on('unhandledRejection', unhandled)
  })
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })
}
