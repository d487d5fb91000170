/** Runs the example and prints what it does. */
import { run } from './run.ts'

await run((line) => console.log(line))
