/** What other servers expect beside the events, and connectors from flat properties. */
export { ConnectorRegistry, type ConnectorFactory } from './connectors/connectors.ts'
export {
  property,
  readProperties,
  refuseUnknownProperties,
  type Properties,
  type Property,
  type PropertyShape,
  type PropertyValues,
} from './connectors/properties.ts'
export {
  errorHandlingOf,
  errorParameters,
  type DeadLetterStreams,
  type ErrorHandling,
  type ErrorLogLevel,
} from './connectors/error-properties.ts'
