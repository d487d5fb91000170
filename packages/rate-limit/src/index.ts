/** Rate limits: how many events may be sent in a time. */
export { RateLimiter, type AcquireOptions, type RateLimiterOptions } from './rate-limiter.ts'
export {
  resolveRateLimitOptions,
  type RateLimitMode,
  type RateLimitOptions,
  type ResolvedRateLimit,
} from './rate-limit-options.ts'
export { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'
export { RateTicket } from './rate-ticket.ts'
