/** The lines of a file, read as they are asked for. */
import { open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { RecordingError } from './recording-error.ts'

/** A longer line is no line of a recording. */
const MAX_LINE_CHARS = 256 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/** Each line without its line break; `undefined` stands for one that is too long to be kept. */
export async function* linesOf(
  path: string,
  maxChars: number = MAX_LINE_CHARS,
): AsyncGenerator<string | undefined, void, undefined> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  try {
    const splitter = new LineSplitter(maxChars)
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES).catch((cause: unknown) => {
        throw unreadable(path, cause)
      })
      if (bytesRead === 0) break
      yield* splitter.push(chunk.subarray(0, bytesRead))
    }
    yield* splitter.end()
  } finally {
    await file.close()
  }
}

/** Keeps the part of a line that has come. */
class LineSplitter {
  readonly #maxChars: number
  readonly #decoder = new StringDecoder('utf8')
  #parts: string[] = []
  #length = 0
  #isTooLong = false

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  *push(bytes: Buffer): Generator<string | undefined, void, undefined> {
    const text = this.#decoder.write(bytes)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#add(text.slice(start, end))
      yield this.#take()
      start = end + 1
    }
    this.#add(text.slice(start))
  }

  /** What stands after the last line break, if anything does. */
  *end(): Generator<string | undefined, void, undefined> {
    this.#add(this.#decoder.end())
    if (this.#length > 0 || this.#isTooLong) yield this.#take()
  }

  #add(part: string): void {
    if (this.#isTooLong || part === '') return
    this.#length += part.length
    if (this.#length <= this.#maxChars) this.#parts.push(part)
    else {
      this.#isTooLong = true
      this.#parts = []
    }
  }

  #take(): string | undefined {
    const line = this.#isTooLong ? undefined : this.#parts.join('')
    this.#parts = []
    this.#length = 0
    this.#isTooLong = false
    return line
  }
}

function unreadable(path: string, cause: unknown): RecordingError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new RecordingError('file', `Cannot read the recording \`${path}\`: ${why}`, { cause })
}
