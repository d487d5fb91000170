/** The names of streams as types of events, and back. */

/** `btcusdt@depth5@100ms` becomes `btcusdt.depth5.100ms`, and `!ticker@arr` becomes `all.ticker.arr`. */
export function typeOf(stream: string): string {
  return stream.replace(/^!/, 'all.').replaceAll('@', '.')
}

/** The stream behind a type. */
export function streamOf(type: string): string {
  return type.replace(/^all\./, '!').replaceAll('.', '@')
}
