/** The clock that moves only when a test says so. */
export { FakeClock } from '@bus/testing'
