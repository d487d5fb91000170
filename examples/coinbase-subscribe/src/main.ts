/** Runs the example. */
import { run } from './run.ts'

await run((line) => console.log(line))
