import { expect, test } from 'vitest'
import { checkGlossary } from './glossary.mjs'

const check = (...lines) =>
  checkGlossary('docs/glossary.md', lines.join('\n'), new Set(['Bus', 'createBus'])).map(
    ({ line, message }) => `${line}: ${message}`,
  )

test('terms in order, each with exported names or none yet, are accepted', () => {
  expect(
    check(
      '# Glossary',
      '- **bus**: x. Code: `Bus`, `createBus`',
      '- **group**: x. Not in code yet',
    ),
  ).toEqual([])
})

test('a term that is there twice, out of order, or without a place in code is found', () => {
  expect(
    check(
      '- **bus**: x. Code: `Bus`',
      '- **bus**: y. Code: `Coach`',
      '- **attempt**: x. Not in code yet',
      '- **group**: x',
    ),
  ).toEqual([
    '2: bus is there twice, or not in order',
    '2: bus: no source exports Coach',
    '3: attempt is there twice, or not in order',
    '4: group does not say where it is defined',
  ])
})
