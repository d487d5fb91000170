/** The groups of bad inputs, and how many rows each must have. */

/** So many rows at least. */
export const GROUPS: Readonly<
  Record<
    | 'handshake'
    | 'origins'
    | 'tokens'
    | 'frames'
    | 'json'
    | 'topics'
    | 'sequences'
    | 'sizes'
    | 'injection',
    number
  >
> = Object.freeze({
  handshake: 60,
  origins: 25,
  tokens: 25,
  frames: 60,
  json: 80,
  topics: 60,
  sequences: 40,
  sizes: 40,
  injection: 30,
})

/** The name of a group. */
export type Group = keyof typeof GROUPS
