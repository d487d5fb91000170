/** A case: something that happens to processes, and exactly what must come of it. */
import { isDeepStrictEqual } from 'node:util'
import type { Stage } from './stage.ts'

/** What came of it, member by member. */
export type Outcomes = Readonly<Record<string, unknown>>

/** Its name is a sentence of behaviour. */
export interface Case {
  readonly name: string
  readonly expected: Outcomes
  run(stage: Stage): Promise<Outcomes>
}

/** Members that are not as expected. */
export function differences({ expected }: Case, got: Outcomes): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(got)])
  return [...names].filter((name) => !isDeepStrictEqual(expected[name], got[name]))
}
