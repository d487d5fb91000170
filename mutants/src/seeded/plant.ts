/** A plugin for vitest that plants one seeded bug in the sources as they are loaded. */
import type { Change } from './seeded-bug.ts'

/** The part of a plugin of vite that is needed. */
export interface PlantingPlugin {
  readonly name: string
  readonly enforce: 'pre'
  transform(code: string, id: string): string | undefined
}

/** Names the change for the process that runs the tests, as JSON. */
export const CHANGE_VARIABLE = 'BUS_SEEDED_BUG'

/** @throws `Error` in `transform` where the place is not there, or not the only one */
export function plant({ file, find, replace }: Change): PlantingPlugin {
  return {
    name: 'seeded-bug',
    enforce: 'pre',
    transform: (code, id) => {
      if (!id.split('?')[0]?.endsWith(`/${file}`)) return undefined
      const places = code.split(find).length - 1
      if (places !== 1) throw new Error(`${file} has ${places} places for the seeded bug, not one`)
      return code.replace(find, () => replace)
    },
  }
}
