/** The catalogue of seeded bugs. */
import { CLIENT_BUGS } from './client-bugs.ts'
import { HUB_BUGS } from './hub-bugs.ts'
import { CORE_BUGS } from './core-bugs.ts'
import type { SeededBug } from './seeded-bug.ts'

/** Every seeded bug. */
export const SEEDED: readonly SeededBug[] = [...CLIENT_BUGS, ...HUB_BUGS, ...CORE_BUGS]
