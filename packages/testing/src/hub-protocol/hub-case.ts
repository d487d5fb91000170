/** A case of the suite as data: which rule of the protocol it tries, what it must know of the hub, and how it runs. */
import type { Level } from '../conformance/medium.ts'
import type { HubWorld } from './hub-world.ts'
import type { HubCredentials, HubProtocolOptions, HubSettings } from './options.ts'

/** What a case must be told before it can run. */
export interface Need {
  /** Why it is skipped where this is missing. */
  readonly reason: string
  isMet(options: HubProtocolOptions): boolean
}

/** One case. */
export interface HubCase {
  /** `W` and a number, never given to another case. */
  readonly id: string
  readonly level: Level
  /** What a hub does, as a sentence without its subject: "confirms each number once". */
  readonly title: string
  /** @default it runs against every hub */
  readonly needs?: Need
  /** Rejects when the hub does something else. What it opens is closed afterwards. */
  run(world: HubWorld): Promise<void>
}

/** The cases that concern one topic. */
export interface HubCaseGroup {
  readonly title: string
  readonly cases: readonly HubCase[]
}

function setting(name: keyof HubSettings): Need {
  return {
    reason: `needs \`settings.${name}\``,
    isMet: ({ settings }) => settings?.[name] !== undefined && settings[name] !== false,
  }
}

function credential(name: keyof HubCredentials): Need {
  return {
    reason: `needs \`credentials.${name}\``,
    isMet: ({ credentials }) => credentials?.[name] !== undefined && credentials[name] !== false,
  }
}

/** Everything that each of them needs. */
function all(...needs: readonly Need[]): Need {
  return {
    reason: needs.map(({ reason }) => reason).join(' and '),
    isMet: (options) => needs.every((need) => need.isMet(options)),
  }
}

function confirms(confirm: 'hub' | 'subscribers'): Need {
  return {
    reason: `needs \`settings.confirm\` to be '${confirm}'`,
    isMet: ({ settings }) => settings?.confirm === confirm,
  }
}

export const HELLO_MS: Need = setting('helloMs')
export const SESSION_TTL: Need = setting('sessionTtlMs')
export const SMALL_LOG: Need = setting('logEvents')
export const HOLDING: Need = all(SMALL_LOG, setting('holdMs'))
export const HEARTBEAT: Need = setting('heartbeatMs')
export const CONTROL_FRAMES: Need = setting('controlFramesPerSecond')
export const MESSAGES: Need = setting('messagesPerSecond')
export const SUBSCRIPTION_LIMIT: Need = setting('subscriptions')
export const RATE: Need = setting('publishPerSecond')
export const PLAIN: Need = setting('plain')
export const CONFIRMED_BY_HUB: Need = confirms('hub')
export const CONFIRMED_BY_SUBSCRIBERS: Need = confirms('subscribers')
export const TOKEN: Need = credential('token')
export const OTHER_TOKEN: Need = credential('other')
export const BAD_TOKEN: Need = credential('bad')
export const TOKEN_REQUIRED: Need = credential('isRequired')
export const CONNECTIONS: Need = all(TOKEN, setting('connectionsPerPrincipal'))
export const LIMITED: Need = credential('limited')
