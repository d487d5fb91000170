/** The names of other servers' channels as event types, and back: types have a grammar, names of exchanges have not. */
import { ConfigError, isType } from '@bus/core'

/** Kept as they are. `_` is not: it begins what stands for another character. */
const PLAIN = /^[A-Za-z0-9.-]$/

/**
 * The event type for a name of another server: every byte of its UTF-8 form that a type cannot have becomes `_` and two hexadecimal
 * digits, as do `_` itself and a dot that would leave a token empty. {@link nameOfType} is the way back.
 *
 * @throws `ConfigError` for an empty name, one that is not well-formed Unicode, and one that makes a type of more than 255 bytes or
 * 16 tokens
 * @example
 * ```ts
 * import { nameOfType, typeOfName } from '@bus/platforms'
 *
 * console.log(typeOfName('btcusdt@trade')) // btcusdt_40trade
 * console.log(typeOfName('spot/ticker:BTC-USDT')) // spot_2fticker_3aBTC-USDT
 * console.log(nameOfType('btcusdt_40trade')) // btcusdt@trade
 * ```
 */
export function typeOfName(name: string): string {
  const isText = typeof name === 'string' && Buffer.from(name).toString() === name
  const type = isText ? typeOf(name) : ''
  if (isType(type)) return type
  throw ConfigError.expected('name', 'to make a type of at most 16 tokens and 255 bytes', name)
}

/**
 * The name for which {@link typeOfName} gives this type.
 *
 * @throws `ConfigError` for a type that it gives for none
 */
export function nameOfType(type: string): string {
  if (isType(type)) {
    const bytes = type.replaceAll(/_([0-9a-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    const name = Buffer.from(bytes, 'latin1').toString()
    if (typeOf(name) === type) return name
  }
  throw ConfigError.expected('type', 'to be one that typeOfName gives', type)
}

/** May be too long for a type. */
function typeOf(name: string): string {
  const characters = Array.from(name)
  return characters
    .map((character, i) => {
      const isKept = character === '.' ? isBetween(characters, i) : PLAIN.test(character)
      return isKept ? character : escaped(character)
    })
    .join('')
}

/** Whether a dot stands between two tokens. One behind another dot, which is escaped, begins no token. */
function isBetween(characters: readonly string[], i: number): boolean {
  return i > 0 && i < characters.length - 1 && characters[i - 1] !== '.'
}

function escaped(character: string): string {
  return Array.from(
    Buffer.from(character),
    (byte) => `_${byte.toString(16).padStart(2, '0')}`,
  ).join('')
}
