/** Rate limits: how many events may be sent in a time. */
export {
  RateLimiter,
  type AcquireOptions,
  type RateLimitMode,
  type RateLimiterOptions,
} from './rate-limiter.ts'
export { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'
export type { Permit } from './permit.ts'
export { costs, type CostFunction, type CostMapOptions, type Costs } from './costs.ts'
