/** Runs the demonstration on the console. */
import { run } from './run.ts'

await run((line) => console.log(line))
