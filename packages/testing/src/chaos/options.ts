/** The options of the chaos proxy. */
import { randomInt } from 'node:crypto'
import type { Clock } from '@bus/core'
import { check, checkOptions, type Shape, systemClock } from '@bus/core/kit'
import type { LinkDirection } from './conditions.ts'
import type { ChaosLink } from './link.ts'

/** Where a chaos proxy listens, where it leads to, and its callbacks. */
export interface ChaosProxyOptions {
  /** The port of the target. */
  readonly targetPort: number
  /** The host of the target. @default '127.0.0.1' */
  readonly targetHost?: string | undefined
  /** The port to listen on; 0 lets the system choose. @default 0 */
  readonly port?: number | undefined
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** Decides every random choice: jitter and the size of slices. @default one drawn at random, which `proxy.seed` returns */
  readonly seed?: number | undefined
  /** Called with each piece of bytes before it is written. @default none */
  readonly onBytes?:
    | ((link: ChaosLink, bytes: Buffer, direction: LinkDirection) => void)
    | undefined
  /** Called once for each link that is over, broken or closed. @default none */
  readonly onLinkOver?: ((link: ChaosLink) => void) | undefined
  /** The source of time for delays. @default the system clock */
  readonly clock?: Clock | undefined
}

/** The options with every default filled in. */
export type ResolvedChaosProxyOptions = {
  readonly [K in keyof ChaosProxyOptions]-?: NonNullable<ChaosProxyOptions[K]>
}

const SHAPE: Shape<ChaosProxyOptions> = Object.freeze({
  targetPort: check.required(check.integer({ min: 1, max: 65_535 })),
  targetHost: check.string({ nonEmpty: true }),
  port: check.integer({ min: 0, max: 65_535 }),
  host: check.string({ nonEmpty: true }),
  seed: check.integer(),
  onBytes: check.func,
  onLinkOver: check.func,
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** @throws `ConfigError` that names the option. */
export function resolveOptions(options: ChaosProxyOptions): ResolvedChaosProxyOptions {
  checkOptions('', options, SHAPE)
  return Object.freeze({
    targetPort: options.targetPort,
    targetHost: options.targetHost ?? '127.0.0.1',
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    seed: options.seed ?? randomInt(2 ** 31),
    onBytes: options.onBytes ?? ((): void => {}),
    onLinkOver: options.onLinkOver ?? ((): void => {}),
    clock: options.clock ?? systemClock,
  })
}
