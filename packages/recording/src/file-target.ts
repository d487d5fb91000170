/** A file that is appended to, opened with the first write. */
import {
  appendFile,
  appendFileSync,
  close,
  fstat,
  fstatSync,
  open,
  read,
  type Stats,
} from 'node:fs'
import { promisify } from 'node:util'
import type { TargetPort } from './target.ts'

/** Only for the owner: a recording holds whatever was sent. */
const MODE = 0o600
/** How long the end of the process waits for a write that is under way. */
const LAST_WAIT_MS = 250
const LINE_BREAK = 0x0a

const fs = Object.freeze({
  open: promisify(open) as (path: string, flags: string, mode: number) => Promise<number>,
  close: promisify(close),
  fstat: promisify(fstat) as (fd: number) => Promise<Stats>,
  append: promisify(appendFile) as (fd: number, text: string) => Promise<void>,
})

/** A descriptor and not a `FileHandle`, which Node closes with a warning when it is forgotten. */
export class FileTarget implements TargetPort {
  readonly #path: string
  #opened: Promise<number> | undefined
  #fd: number | undefined
  /** The system has a write to do, and does it whatever becomes of the process. */
  #isHandedOver = false
  /** Where the file ends after everything that was confirmed. */
  #end = 0

  constructor(path: string) {
    this.#path = path
  }

  async write(text: string): Promise<void> {
    this.#opened ??= this.#open()
    const fd = await this.#opened
    this.#isHandedOver = true
    await fs.append(fd, text)
    this.#isHandedOver = false
    this.#end += Buffer.byteLength(text)
  }

  writeLast(text: string, underWay: string): void {
    if (this.#fd === undefined || !this.#isHandedOver) {
      appendFileSync(this.#fd ?? this.#path, underWay + text, { mode: MODE })
      return
    }
    this.#awaitSize(this.#fd, this.#end + Buffer.byteLength(underWay))
    if (text !== '') appendFileSync(this.#fd, text)
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    const fd = await opened?.catch(() => undefined)
    this.#fd = undefined
    if (fd !== undefined) await fs.close(fd)
  }

  async #open(): Promise<number> {
    const fd = await fs.open(this.#path, 'a+', MODE)
    try {
      this.#end = await endLine(fd)
    } catch (error) {
      await fs.close(fd)
      throw error
    }
    this.#fd = fd
    return fd
  }

  /** The thread that writes goes on while this one is blocked; without the wait the last lines could overtake it. */
  #awaitSize(fd: number, size: number): void {
    const cell = new Int32Array(new SharedArrayBuffer(4))
    for (let waited = 0; waited < LAST_WAIT_MS && fstatSync(fd).size < size; waited++) {
      Atomics.wait(cell, 0, 0, 1)
    }
  }
}

/** Ends a line that a crash cut off, so that the next one is not lost with it. Gives the size of the file. */
async function endLine(fd: number): Promise<number> {
  const { size } = await fs.fstat(fd)
  if (size === 0) return 0
  const last = new Uint8Array(1)
  await new Promise<void>((resolve, reject) => {
    read(fd, last, 0, 1, size - 1, (error) => (error === null ? resolve() : reject(error)))
  })
  if (last[0] === LINE_BREAK) return size
  await fs.append(fd, '\n')
  return size + 1
}
