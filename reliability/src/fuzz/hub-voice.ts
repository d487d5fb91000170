/** The voice of a hub on one link: how far it is, and how it ended the link. */
import { OPCODE, readFrame } from '../raw/frame.ts'

/** Reads what the hub writes, and keeps none of it. */
export class HubVoice {
  /** How it ended: `close <code>`, `HTTP <status>` or `cut`; `undefined` while it lives. */
  ended: string | undefined
  isUpgraded = false
  /** Messages of text. */
  texts = 0
  pongs = 0
  #rest: Buffer = Buffer.alloc(0)
  readonly #onWord: () => void

  /** @param onWord - something of the above is another than before */
  constructor(onWord: () => void) {
    this.#onWord = onWord
  }

  hear(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (this.isUpgraded || this.#readHead()) this.#readFrames()
    this.#onWord()
  }

  end(how: string): void {
    this.ended ??= how
    this.#onWord()
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n')
    if (end === -1) return false
    const status = this.#rest.toString('latin1', 9, 12)
    if (status !== '101') {
      this.ended ??= `HTTP ${status}`
      return false
    }
    this.isUpgraded = true
    this.#rest = this.#rest.subarray(end + 4)
    return true
  }

  #readFrames(): void {
    let at = 0
    for (let next = readFrame(this.#rest, at); next; next = readFrame(this.#rest, at)) {
      at = next.to
      const { opcode, payload } = next.frame
      if (opcode === OPCODE.text) this.texts++
      else if (opcode === OPCODE.pong) this.pongs++
      else if (opcode === OPCODE.close) {
        this.ended ??= payload.length < 2 ? 'close' : `close ${payload.readUInt16BE()}`
      }
    }
    this.#rest = this.#rest.subarray(at)
  }
}
