/** A protocol with some of its parts replaced, whatever it is made of: a plain object or an instance of a class. */
import type { PlainProtocol, Protocol } from './protocol.ts'

/**
 * What `base` does, but for `changes`. Its functions are called on `base`, which may have private state; `openSession` alone is
 * called on the result, so that the session of a plain protocol sees the changes.
 */
export function overlay(base: PlainProtocol, changes: Partial<PlainProtocol>): PlainProtocol
export function overlay(base: Protocol, changes: Partial<Protocol>): Protocol
export function overlay(base: object, changes: object): object {
  const layered: Record<PropertyKey, unknown> = { ...changes }
  for (const name of namesOf(base)) {
    if (Object.hasOwn(changes, name)) continue
    const value: unknown = Reflect.get(base, name)
    // What is no function may change: capabilities can depend on the server.
    const get = (): unknown => Reflect.get(base, name)
    if (typeof value !== 'function') {
      Object.defineProperty(layered, name, { enumerable: true, get })
    } else layered[name] = name === 'openSession' ? value : value.bind(base)
  }
  return layered
}

function namesOf(base: object): ReadonlySet<PropertyKey> {
  const names = new Set<PropertyKey>()
  let level: object | null = base
  while (level !== null && level !== Object.prototype) {
    for (const name of Reflect.ownKeys(level)) if (name !== 'constructor') names.add(name)
    level = Object.getPrototypeOf(level) as object | null
  }
  return names
}
