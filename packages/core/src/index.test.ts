import { expect, test } from 'vitest'
import * as core from './index.ts'

test('an application has at most fifty values to learn', () => {
  expect(Object.keys(core).length).toBeLessThanOrEqual(50)
})
