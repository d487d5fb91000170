/** The pipeline: a source, the processing, and a sink, made from flat properties by their names. */
import {
  ConnectorRegistry,
  webSocketSinkFactory,
  webSocketSourceFactory,
  type Properties,
  type WebSocketSink,
  type WebSocketSource,
} from '@bus/platforms'
import { Averages, type Trade } from './average.ts'

/** Where it reads, where it writes, and what could not be read. */
export interface PipelineOptions {
  readonly source: Properties
  readonly sink: Properties
  /** Takes what `error.dlq.stream` = `BadTrades` gives up. */
  readonly badTrades: (data: Uint8Array, reason: string) => void
  /** Takes every error of the source, also of what `badTrades` takes. */
  readonly onError: (error: Error, kind: string) => void
}

/** Runs until it is disposed of; then what was received is processed and sent first. */
export async function startPipeline(options: PipelineOptions): Promise<AsyncDisposable> {
  const sources = new ConnectorRegistry<WebSocketSource>().register(
    webSocketSourceFactory({
      onError: options.onError,
      deadLetterStreams: {
        BadTrades: ({ event, error }) =>
          options.badTrades(event?.payload as Uint8Array, error.message),
      },
    }),
  )
  const sinks = new ConnectorRegistry<WebSocketSink>().register(webSocketSinkFactory())
  const source = sources.create('websocket', options.source)
  const sink = sinks.create('websocket', options.sink)

  // Fail fast: before anything depends on it.
  await Promise.all([source.validateConnectivity(), sink.validateConnectivity()])

  const averages = new Averages(2)
  await source.start(async (_data, { value }) => {
    const { data } = value as { readonly stream: string; readonly data: Trade }
    const average = averages.add(data)
    if (average !== undefined) await sink.publish(JSON.stringify(average))
  })
  return {
    [Symbol.asyncDispose]: async () => {
      await source.stop()
      await sink.stop()
    },
  }
}
