/** What the suite found is kept in the documents; `npm run conformance` writes it anew. */
import { keptReport } from '@bus/testing/conformance'

export const onReport = keptReport(new URL('../../../../docs/conformance.json', import.meta.url), {
  update: process.env['UPDATE_CONFORMANCE'] === '1',
})
