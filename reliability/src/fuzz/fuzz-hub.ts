/** The hub that is fuzzed: with the defaults, except that it keeps little, so that memory that grows is a leak. */
import type { WatchedSettings } from '../hub/watched-orders.ts'

/** Control frames are as good as not limited: the fuzzer asks with a ping whether a frame is complete. */
export const FUZZ_HUB: WatchedSettings = Object.freeze({
  allowAnonymous: true,
  holdMs: 100,
  sessionTtlMs: 1_000,
  limits: { sessions: 1_000, heldBytes: 4_194_304, rate: { controlFrames: 1_000_000_000 } },
  log: { maxEvents: 1_000, maxBytes: 1_048_576 },
})
