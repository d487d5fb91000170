/** The levels of logs, from the least to the most important. */

/** From which importance on something is logged; `silent` logs nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const RANKS: Readonly<Record<LogLevel, number>> = Object.freeze({
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: Infinity,
})

/** The rank of a level; that of `info` for one that is not known, so that a typing error hides no failure. */
export function levelOf(name: string = 'info'): number {
  return Object.hasOwn(RANKS, name) ? RANKS[name as LogLevel] : RANKS.info
}
