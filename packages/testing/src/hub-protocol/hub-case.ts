/** A case of the suite as data: which rule of the protocol it tries, what it must know of the hub, and how it runs. */
import type { CaseLevel } from '../conformance/medium.ts'
import type { HubWorld } from './hub-world.ts'
import type { HubCredentials, HubProtocolOptions, HubSettings } from './options.ts'

/** What a case must know of the hub before it can run. */
interface HubRequirement {
  /** Why it is skipped where this is missing. */
  readonly reason: string
  isMet(options: HubProtocolOptions): boolean
}

/** One case. */
export interface HubCase {
  /** `W` and a number, never given to another case. */
  readonly id: string
  readonly level: CaseLevel
  /** What a hub does, as a sentence without its subject: "confirms each number once". */
  readonly title: string
  /** @default it runs against every hub */
  readonly needs?: HubRequirement
  /** Rejects when the hub does something else. What it opens is closed afterwards. */
  run(world: HubWorld): Promise<void>
}

/** The cases that concern one topic. */
export interface HubCaseGroup {
  readonly title: string
  readonly cases: readonly HubCase[]
}

function setting(name: keyof HubSettings): HubRequirement {
  return {
    reason: `needs \`settings.${name}\``,
    isMet: ({ settings }) => settings?.[name] !== undefined && settings[name] !== false,
  }
}

function credential(name: keyof HubCredentials): HubRequirement {
  return {
    reason: `needs \`credentials.${name}\``,
    isMet: ({ credentials }) => credentials?.[name] !== undefined && credentials[name] !== false,
  }
}

/** Everything that each of them needs. */
function all(...needs: readonly HubRequirement[]): HubRequirement {
  return {
    reason: needs.map(({ reason }) => reason).join(' and '),
    isMet: (options) => needs.every((need) => need.isMet(options)),
  }
}

function confirms(confirm: 'hub' | 'subscribers'): HubRequirement {
  return {
    reason: `needs \`settings.confirm\` to be '${confirm}'`,
    isMet: ({ settings }) => settings?.confirm === confirm,
  }
}

export const HELLO_MS: HubRequirement = setting('helloMs')
export const SESSION_TTL: HubRequirement = setting('sessionTtlMs')
export const SMALL_LOG: HubRequirement = setting('logEvents')
export const HOLDING: HubRequirement = all(SMALL_LOG, setting('holdMs'))
export const HEARTBEAT: HubRequirement = setting('heartbeatMs')
export const CONTROL_FRAMES: HubRequirement = setting('controlFramesPerSecond')
export const MESSAGES: HubRequirement = setting('messagesPerSecond')
export const SUBSCRIPTION_LIMIT: HubRequirement = setting('subscriptions')
export const RATE: HubRequirement = setting('publishPerSecond')
export const PLAIN: HubRequirement = setting('plain')
export const CONFIRMED_BY_HUB: HubRequirement = confirms('hub')
export const CONFIRMED_BY_SUBSCRIBERS: HubRequirement = confirms('subscribers')
export const TOKEN: HubRequirement = credential('token')
export const OTHER_TOKEN: HubRequirement = credential('other')
export const BAD_TOKEN: HubRequirement = credential('bad')
export const TOKEN_REQUIRED: HubRequirement = credential('isRequired')
export const CONNECTIONS: HubRequirement = all(TOKEN, setting('connectionsPerPrincipal'))
export const LIMITED: HubRequirement = credential('limited')
