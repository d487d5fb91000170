/** What a text message of the hub says, as far as the faults must know: which part of it is an event, which a confirmation. */

/** One of the two wires. */
export interface Dialect {
  /** The message with its first event twice; `undefined`: it holds none. */
  duplicated(message: string): readonly string[] | undefined
  /** The message with its first event made unreadable; `undefined`: it holds none. */
  corrupted(message: string): string | undefined
  /** Whether it confirms something that was published. */
  confirms(message: string): boolean
}

/** One message is one event, and nothing is confirmed. */
export const plainDialect: Dialect = {
  duplicated: (message) => [message, message],
  corrupted: (message) => message.slice(0, message.length >> 1),
  confirms: () => false,
}

/** Lines of `bus.v1`. */
export const busV1Dialect: Dialect = {
  duplicated(message) {
    const lines = message.split('\n')
    const at = lines.findIndex(isEvent)
    const event = lines[at]
    return event === undefined ? undefined : [lines.toSpliced(at, 0, event).join('\n')]
  },
  corrupted(message) {
    const lines = message.split('\n')
    const at = lines.findIndex(isEvent)
    const event = lines[at]
    return event === undefined ? undefined : lines.with(at, event.replace(' ', ' x')).join('\n')
  },
  confirms: (message) => /^ok \d/m.test(message),
}

function isEvent(line: string): boolean {
  return /^[er]v /.test(line)
}
