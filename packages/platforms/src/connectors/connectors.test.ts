import { describe, expect, test, vi } from 'vitest'
import { ConfigError } from '@bus/core'
import { ConnectorRegistry, type ConnectorFactory } from './connectors.ts'
import type { Properties } from './properties.ts'

function factory(more: Partial<ConnectorFactory<Properties>> = {}): ConnectorFactory<Properties> {
  return {
    name: 'websocket',
    supportedFormats: ['json', 'text'],
    requiredParameters: ['websocket.url', 'websocket.room'],
    optionalParameters: ['websocket.reconnect', 'websocket.headers.*'],
    create: (properties) => properties,
    ...more,
  }
}

const given = { format: 'json', 'websocket.url': 'ws://a', 'websocket.room': 'r' }
const registry = (
  more: Partial<ConnectorFactory<Properties>> = {},
): ConnectorRegistry<Properties> => new ConnectorRegistry<Properties>().register(factory(more))

describe('a registry', () => {
  test('makes a connector by its name, from the properties as given', () => {
    expect(registry().create('websocket', given)).toBe(given)
  })

  test('shows what is registered', () => {
    const own = factory()
    const both = new ConnectorRegistry<Properties>()
      .register(own)
      .register(factory({ name: 'file' }))
    expect(both.names).toEqual(['websocket', 'file'])
    expect(both.get('websocket')).toBe(own)
    expect(both.get('kafka')).toBeUndefined()
  })

  test('refuses an unknown name and lists those that it knows', () => {
    const both = registry().register(factory({ name: 'file' }))
    expect(() => both.create('kafka', given)).toThrow(
      'Unknown connector `kafka`: known are websocket, file',
    )
    expect(() => both.create('websokcet', given)).toThrow(/did you mean `websocket`\?/)
    expect(() => new ConnectorRegistry().create('a', {})).toThrow(/none is registered/)
  })

  test('refuses a name that is taken', () => {
    expect(() => registry().register(factory())).toThrow(ConfigError)
  })

  test('takes a factory that is an instance with state of its own', () => {
    class Own {
      readonly name = 'own'
      readonly supportedFormats = []
      readonly requiredParameters = []
      readonly optionalParameters = []
      readonly made: string[] = []
      create(): string {
        this.made.push('one')
        return 'connector'
      }
    }
    expect(new ConnectorRegistry<string>().register(new Own()).create('own', {})).toBe('connector')
  })

  test.each(['name', 'supportedFormats', 'requiredParameters', 'optionalParameters', 'create'])(
    'refuses a factory without %s',
    (member) => {
      const { [member as 'name']: _left, ...rest } = factory()
      expect(() =>
        new ConnectorRegistry<Properties>().register(rest as ConnectorFactory<Properties>),
      ).toThrow(expect.objectContaining({ path: `factory.${member}` }))
    },
  )
})

describe('the properties of a connector', () => {
  test('that are missing are named, all of them', () => {
    const create = vi.fn<ConnectorFactory<Properties>['create']>()
    expect(() => registry({ create }).create('websocket', { format: 'json' })).toThrow(
      'Expected `websocket.url`, `websocket.room` to be given',
    )
    expect(create).not.toHaveBeenCalled()
  })

  test('that are empty count as missing', () => {
    expect(() => registry().create('websocket', { ...given, 'websocket.room': '' })).toThrow(
      'Expected `websocket.room` to be given',
    )
  })

  test('that the factory does not know are refused with the nearest', () => {
    expect(() =>
      registry().create('websocket', { ...given, 'websocket.reconect': 'true' }),
    ).toThrow('Unknown property `websocket.reconect`: did you mean `websocket.reconnect`?')
    expect(registry().create('websocket', { ...given, 'websocket.headers.A': 'x' })).toBeDefined()
  })

  test('need a format where formats are declared, one of those', () => {
    const { format: _format, ...without } = given
    expect(() => registry().create('websocket', without)).toThrow(
      'Expected `format` to be one of json, text, got `undefined` (undefined)',
    )
    expect(() => registry().create('websocket', { ...given, format: 'xml' })).toThrow(/got `xml`/)
    expect(registry().create('websocket', { ...given, format: 'JSON' })).toBeDefined()
  })

  test('need no format where none is declared, and may then not name one', () => {
    const { format: _format, ...without } = given
    const bare = registry({ supportedFormats: [] })
    expect(bare.create('websocket', without)).toBe(without)
    expect(() => bare.create('websocket', given)).toThrow('Unknown property `format`')
  })
})
