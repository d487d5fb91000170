/** Recordings of what goes over a connection. */
export { Recorder, type RecorderStats } from './recorder.ts'
export type { RecorderOptions } from './recorder-options.ts'
export type { ConnectionRecording } from './connection-recording.ts'
export type { RecordTarget } from './target.ts'
export { formatEntry, parseEntry, type RecordingEntry } from './entry.ts'
export { replay, type ReplayOptions, type ReplayReport } from './replay.ts'
export { recordingInfo, type RecordingInfo } from './recording-info.ts'
export { RecordingError, type RecordingProblem } from './recording-error.ts'
