export { plainJson, type PlainProtocolOptions } from './plain-json.ts'
export {
  frameHandlerProtocol,
  type FoundEvent,
  type FrameHandler,
  type FrameHandlerOptions,
  type FrameResult,
} from './frame-handler.ts'
export type {
  Frame,
  Protocol,
  ProtocolCapabilities,
  ProtocolLink,
  ProtocolReceiver,
} from './protocol.ts'
export { CLOSE_CODES, closeCode, type CloseCode } from './close-codes.ts'
