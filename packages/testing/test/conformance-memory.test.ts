/** The memory transport keeps what it promises. */
import { describe, it } from 'vitest'
import { transportConformance } from '../src/conformance/index.ts'
import { memoryMediumForCases } from './memory-media.ts'

await transportConformance({ describe, it }, { name: 'memory', medium: memoryMediumForCases })
