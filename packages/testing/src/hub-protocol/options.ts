/** The hub under test: its URL, and what cannot be seen from outside. */
import { check, checkOptions, type Shape } from '@bus/core/kit'
import type { ReportedCase } from '../conformance/medium.ts'

/** The tokens that the cases use. */
export interface HubCredentials {
  /** A token that permits every type and pattern; sent in each `hello`. */
  readonly token: string
  /** A token of another principal that permits the same. @default the cases that need one are skipped */
  readonly other?: string | undefined
  /** An invalid token. @default the cases that need one are skipped */
  readonly bad?: string | undefined
  /** Whether a token is required. @default false */
  readonly isRequired?: boolean | undefined
  /** A principal with limited permissions. @default the cases that need one are skipped */
  readonly limited?:
    | {
        readonly token: string
        /** A type that it may not publish. */
        readonly mayNotPublish: string
        /** A pattern that it may not subscribe to. */
        readonly mayNotRead: string
      }
    | undefined
}

/** The configuration of the hub under test, where it cannot be seen from outside. Without a setting its cases are skipped. */
export interface HubSettings {
  /** What an `ok` means. */
  readonly confirm?: 'hub' | 'subscribers' | undefined
  /** Milliseconds within which a client must send `hello`; best below 1,000, because a case waits for it. */
  readonly helloMs?: number | undefined
  /** Milliseconds that a session is kept without a link; best below 1,000, because a case waits for it. */
  readonly sessionTtlMs?: number | undefined
  /** Events that the log keeps; best below 1,000, because a case fills it. */
  readonly logEvents?: number | undefined
  /** Milliseconds that a subscriber without progress blocks the others; best below 1,000, because a case waits for it. */
  readonly holdMs?: number | undefined
  /** Milliseconds between its pings; best below 1,000, because cases wait for some. */
  readonly heartbeatMs?: number | undefined
  /** Subscriptions that a session may have. */
  readonly subscriptions?: number | undefined
  /** Events that one connection may publish in a second; below 1,000, because a case exceeds it. */
  readonly publishPerSecond?: number | undefined
  /** Pings and pongs that one connection may send in a second; below 1,000, because a case exceeds it. */
  readonly controlFramesPerSecond?: number | undefined
  /** Messages that one connection may send in a second; below 1,000, because a case exceeds it. */
  readonly messagesPerSecond?: number | undefined
  /** Connections that one principal may have; below 100, because a case opens so many. */
  readonly connectionsPerPrincipal?: number | undefined
  /** Whether it also accepts the plain JSON wire, without credentials. */
  readonly plain?: boolean | undefined
}

/** The options of the suite. */
export interface HubProtocolOptions {
  /** The name of the hub, for titles and the report. */
  readonly name: string
  /** Where it listens: `ws:` and a host. It may serve others meanwhile; every case uses types of its own. */
  readonly url: string
  /** @default none */
  readonly credentials?: HubCredentials | undefined
  /** @default nothing is known, so the cases that need to know are skipped */
  readonly settings?: HubSettings | undefined
  /** Only these cases, by id. @default every case */
  readonly only?: readonly string[] | undefined
  readonly timing?:
    | {
        /** Milliseconds within which something that must happen happens. @default 5_000 */
        readonly expectMs?: number | undefined
        /** Milliseconds in which nothing more may happen. @default 150 */
        readonly quietMs?: number | undefined
      }
    | undefined
  /** Gets the report when the last case is done. What it throws fails the suite. @default none */
  readonly onReport?: ((report: HubProtocolReport) => void | Promise<void>) | undefined
}

/** What the suite found; JSON as it is. */
export interface HubProtocolReport {
  readonly name: string
  /** In the order of their numbers. */
  readonly cases: readonly ReportedCase[]
}

const SHAPE: Shape<Pick<HubProtocolOptions, 'name' | 'url'>> = Object.freeze({
  name: check.required(check.string({ nonEmpty: true })),
  url: check.required(check.string({ nonEmpty: true })),
})

/** @throws `ConfigError` that names the option. */
export function checkHubOptions({ name, url }: HubProtocolOptions): void {
  checkOptions('', { name, url }, SHAPE)
}
