#!/usr/bin/env node
/** The `bus` command as a program. */
import { main } from './main.ts'

// A reader that has seen enough, such as `head`, is no failure of ours.
process.stdout.on('error', () => {})
process.exitCode = await main(process.argv.slice(2), process)
