/** What tests of several packages share about WebSocket: servers, transports, waiting for conditions, a dialect. */
export {
  ChannelServer,
  channelDialect,
  serveChannels,
  type DialectOptions,
} from './channel-dialect.ts'
export {
  Collector,
  FastClock,
  collect,
  cut,
  frameOf,
  leavesNothing,
  numbered,
  only,
  record,
  resources,
  serve,
  states,
  transportTo,
  until,
  untilStill,
  type Notice,
} from './harness.ts'
