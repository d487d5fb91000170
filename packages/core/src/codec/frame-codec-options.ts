/** The options of codecs whose payload is the whole frame. */
import { checkOptions, where, type Shape } from '../config/options.ts'
import { isType } from '../contract/type.ts'

/** The options of the codecs that carry nothing but the payload. */
export interface FrameCodecOptions {
  /** The type of every received event: such a frame does not say its own. @default 'message' */
  readonly type?: string
}

const SHAPE: Shape<FrameCodecOptions> = Object.freeze({
  type: where('to be an event type', isType),
})

/** @throws `ConfigError` naming the option */
export function resolveFrameCodecOptions(
  options: FrameCodecOptions = {},
): Required<FrameCodecOptions> {
  checkOptions('', options, SHAPE)
  const { type = 'message' } = options
  return Object.freeze({ type })
}
