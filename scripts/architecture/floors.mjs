/** Which room of a folder stands above which: imports go down, so that a reader may begin at the ground. */
import { resolve } from './boundaries.mjs'

/** Per folder, its rooms (folders in it) from the top floor to the ground. Files that lie beside them may import all. */
const FLOORS = {
  'packages/testing/src/conformance': [
    'run',
    'report',
    'cases',
    'campaign',
    'case-tools',
    'properties',
    'world',
  ],
  'packages/websocket/src/client': [
    'handover',
    'observe',
    'reconnect',
    'bus-v1',
    'subscriptions',
    'outbox',
    'link',
    'options',
    'frames',
  ],
  'packages/websocket/src/hub/bus-v1': [
    'peers',
    'publishing',
    'subscribing',
    'sessions',
    'log',
    'admission',
  ],
}

/** In a folder with floors no room imports one above its own, by value or by type, and each room has its floor. */
export function floors({ sources }, table = FLOORS) {
  return Object.entries(table).flatMap(([folder, order]) => {
    const roomOf = (path) =>
      path.startsWith(`${folder}/`)
        ? /^([^/]+)\//.exec(path.slice(folder.length + 1))?.[1]
        : undefined
    return sources.flatMap((file) => {
      const room = roomOf(file.path)
      if (room === undefined) return []
      const floor = order.indexOf(room)
      if (floor === -1) return [{ file: file.path, message: `the room ${room} has no floor` }]
      return file.imports.flatMap(({ specifier, line }) => {
        const other = specifier.startsWith('.') ? roomOf(resolve(file.path, specifier)) : undefined
        const isAbove = other !== undefined && order.indexOf(other) < floor
        if (!isAbove) return []
        return [
          { file: file.path, line, message: `${room} must not import ${other}, which is above` },
        ]
      })
    })
  })
}
