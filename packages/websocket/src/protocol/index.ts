/** What authors of dialects build with: protocols, close codes, requests, credentials, the checks of the options. */
export { plainJson, type PlainProtocolOptions } from './plain-json.ts'
export {
  frameHandlerProtocol,
  type FoundEvent,
  type FrameHandler,
  type FrameHandlerOptions,
  type FrameResult,
} from './frame-handler.ts'
export {
  definePlainProtocol,
  isPlainProtocol,
  plainSession,
  type PlainProtocolDefinition,
} from './plain-session.ts'
export type {
  Frame,
  LinkEnd,
  PlainProtocol,
  Protocol,
  ProtocolCapabilities,
  ProtocolHandshake,
  ProtocolLink,
  ProtocolReceiver,
  ProtocolSession,
  SessionHost,
  SessionLink,
  WriterSource,
} from './protocol.ts'
export { CLOSE_CODES, closeCode, type CloseCode } from './close-codes.ts'
export { overlay } from './overlay.ts'
export { DEFAULT_REQUEST_MS, Requests } from './request.ts'
export { RENEW_BEFORE_MS, askToken, renewalDelayMs, retryDelayMs } from './credentials.ts'
export { checkUrl } from '../client/options/endpoint.ts'
export { optionTable, type OptionRow, type OptionTable } from '../client/options/resolve-options.ts'
