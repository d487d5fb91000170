/** The options of the chaos proxy. */
import { randomInt } from 'node:crypto'
import type { Clock } from '@bus/core'
import {
  checkOptions,
  func,
  integer,
  required,
  type Shape,
  string,
  systemClock,
  withMethods,
} from '@bus/core/kit'
import type { LinkDirection } from './conditions.ts'
import type { ChaosLink } from './link.ts'

/** Where a chaos proxy stands, and who watches it. */
export interface ChaosProxyOptions {
  /** The port that it leads to. */
  readonly targetPort: number
  /** The host that it leads to. @default '127.0.0.1' */
  readonly targetHost?: string
  /** The port to listen on; 0 lets the system choose. @default 0 */
  readonly port?: number
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string
  /** Decides every random choice: jitter and the size of slices. @default one drawn at random, told by `proxy.seed` */
  readonly seed?: number
  /** Sees each piece of bytes as it is passed on, before it is written. @default nobody */
  readonly onBytes?: (link: ChaosLink, bytes: Buffer, direction: LinkDirection) => void
  /** Told once for each link that is over, torn or not. @default nobody */
  readonly onLinkOver?: (link: ChaosLink) => void
  /** Where delays come from. @default the clock of the machine */
  readonly clock?: Clock
}

/** The options with every default filled in. */
export type ResolvedChaosProxyOptions = Readonly<Required<ChaosProxyOptions>>

const SHAPE: Shape<ChaosProxyOptions> = Object.freeze({
  targetPort: required(integer({ min: 1, max: 65_535 })),
  targetHost: string({ nonEmpty: true }),
  port: integer({ min: 0, max: 65_535 }),
  host: string({ nonEmpty: true }),
  seed: integer(),
  onBytes: func,
  onLinkOver: func,
  clock: withMethods('now', 'setTimeout', 'clearTimeout'),
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
