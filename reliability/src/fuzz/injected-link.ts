/** A link without a network: a stream that is handed to the hub's HTTP server as if it had been accepted. */
import type { Server } from 'node:http'
import { Duplex } from 'node:stream'
import { frame, OPCODE, text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import type { HubInput } from './hub-input.ts'
import { HubVoice } from './hub-voice.ts'

const FENCE = frame({ opcode: OPCODE.ping, payload: 'fence' })

/** What is pushed into it the hub has taken when the call returns: nothing is queued in between. */
export class InjectedLink extends Duplex {
  readonly voice: HubVoice = new HubVoice(() => this.#wake?.())
  #wake: (() => void) | undefined

  constructor(server: Server) {
    super({ decodeStrings: true, autoDestroy: true, allowHalfOpen: true })
    this.on('error', () => {})
    this.once('close', () => this.voice.end('cut'))
    server.emit('connection', this)
  }

  /** A link that is ready for inputs of this wire. @throws when the hub does not take it */
  static async open(server: Server, wire: HubInput['wire']): Promise<InjectedLink> {
    const link = new InjectedLink(server)
    if (wire === 'tcp') return link
    const { voice } = link
    link.push(handshake({ busV1: wire !== 'plain' }))
    if (wire === 'bus') {
      link.push(text(hello()))
      // The hub authenticates, although no answer is required; then it sends the welcome.
      while (voice.texts === 0 && voice.ended === undefined) {
        await new Promise<void>((resolve) => (link.#wake = resolve))
      }
    }
    if (voice.ended !== undefined) throw new Error(`The hub did not take a link: ${voice.ended}`)
    return link
  }

  /** Whether the hub waits for no more of what was pushed: it answers a ping. */
  isBetweenFrames(): boolean {
    const { pongs } = this.voice
    this.push(Buffer.from(FENCE))
    return this.voice.pongs > pongs
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.voice.hear(chunk)
    done()
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.voice.hear(chunk)
    done()
  }

  override _final(done: () => void): void {
    this.voice.end('cut')
    done()
  }
}
