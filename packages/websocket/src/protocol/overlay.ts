/** A protocol with some of its parts replaced, whatever it is made of: a plain object or an instance of a class. */
import type { Protocol } from './protocol.ts'

/** What `base` does, but for `changes`. Its functions are called on `base`, which may keep something to itself. */
export function overlay(base: Protocol, changes: Partial<Protocol>): Protocol {
  const layered: Record<PropertyKey, unknown> = { ...changes }
  for (const name of namesOf(base)) {
    if (Object.hasOwn(changes, name)) continue
    const value: unknown = Reflect.get(base, name)
    // What is no function may change: capabilities can depend on the server.
    const get = (): unknown => Reflect.get(base, name)
    if (typeof value === 'function') layered[name] = value.bind(base)
    else Object.defineProperty(layered, name, { enumerable: true, get })
  }
  return layered as unknown as Protocol
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
