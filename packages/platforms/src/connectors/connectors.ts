/** The registry of connectors: makes a source or a sink from its name and flat properties. */
import { ConfigError } from '@bus/core'
import { check, nearest, printable, type Check } from '@bus/core/kit'
import { missing, refuseUnknownProperties, type Properties } from './properties.ts'

/** Makes connectors of one kind, and says what it needs for that. */
export interface ConnectorFactory<C> {
  /** What the configuration calls it: `websocket`. */
  readonly name: string
  /** The formats that its connectors know. Where there are any, the property `format` must name one of them. */
  readonly supportedFormats: readonly string[]
  /** Keys without which {@link create} cannot do. */
  readonly requiredParameters: readonly string[]
  /** Keys that may be given. One that ends in `.*` stands for all with its prefix. */
  readonly optionalParameters: readonly string[]
  /** @throws `ConfigError` naming the property that is not accepted. */
  create(properties: Properties): C
}

const word = check.string({ nonEmpty: true })

/** Not an exact shape: a factory may be an instance with members of its own. */
const CHECKS: { readonly [K in keyof ConnectorFactory<unknown>]: Check } = Object.freeze({
  name: word,
  supportedFormats: check.arrayOf(word),
  requiredParameters: check.arrayOf(word),
  optionalParameters: check.arrayOf(word),
  create: check.func,
})

/** The property that names the format. */
const FORMAT = 'format'

/**
 * Factories by name. Have one registry for sources and one for sinks, as their names are the same.
 *
 * @example
 * ```ts
 * import { ConnectorRegistry } from '@bus/platforms'
 * import { webSocketSourceFactory, type WebSocketSource } from '@bus/platforms'
 *
 * const sources = new ConnectorRegistry<WebSocketSource>().register(webSocketSourceFactory())
 * const source = sources.create('websocket', {
 *   format: 'json',
 *   'websocket.url': 'wss://stream.example.com/trades',
 * })
 * await source.start((data) => console.log(data.byteLength))
 * ```
 */
export class ConnectorRegistry<C> {
  readonly #factories = new Map<string, ConnectorFactory<C>>()

  /** The names that are registered, in order. */
  get names(): readonly string[] {
    return [...this.#factories.keys()]
  }

  /** @throws `ConfigError` for what is no factory, and for a name that is taken. */
  register(factory: ConnectorFactory<C>): this {
    for (const [name, accept] of Object.entries(CHECKS)) {
      accept(`factory.${name}`, (factory as unknown as Readonly<Record<string, unknown>>)[name])
    }
    if (this.#factories.has(factory.name)) {
      const message = `Expected \`factory.name\` to be new, \`${printable(factory.name)}\` is registered`
      throw new ConfigError('factory.name', message)
    }
    this.#factories.set(factory.name, factory)
    return this
  }

  /** The factory of this name. */
  get(name: string): ConnectorFactory<C> | undefined {
    return this.#factories.get(name)
  }

  /**
   * Makes a connector.
   *
   * @throws `ConfigError` for a name that nobody registered (naming those that are), for properties that are missing or
   * not known, for a format that is not supported, and for what the factory refuses.
   */
  create(name: string, properties: Properties): C {
    const factory = this.#factories.get(name)
    if (factory === undefined) throw this.#unknown(name)
    checkParameters(factory, properties)
    return factory.create(properties)
  }

  #unknown(name: string): ConfigError {
    const near = nearest(name, this.names)
    const known =
      this.names.length === 0 ? 'none is registered' : `known are ${this.names.join(', ')}`
    const hint = near === undefined ? known : `did you mean \`${near}\`? ${known}`
    return new ConfigError('name', `Unknown connector \`${printable(name)}\`: ${hint}`)
  }
}

/** @throws `ConfigError` naming what is missing, not known, or no format of the factory's. */
function checkParameters(factory: ConnectorFactory<unknown>, properties: Properties): void {
  const { supportedFormats, requiredParameters, optionalParameters } = factory
  const ofFormat = supportedFormats.length > 0 ? [FORMAT] : []
  refuseUnknownProperties(properties, [...requiredParameters, ...optionalParameters, ...ofFormat])
  const absent = requiredParameters.filter((key) => (properties[key] ?? '') === '')
  if (absent.length > 0) throw missing(absent)
  if (supportedFormats.length === 0) return
  const given = properties[FORMAT]
  if (given !== undefined && supportedFormats.includes(given.trim().toLowerCase())) return
  throw ConfigError.expected(FORMAT, `to be one of ${supportedFormats.join(', ')}`, given)
}
