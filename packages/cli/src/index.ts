/** Advice on errors. */
export { explain, type ExplainOptions, type Explanation } from './doctor/explain.ts'
