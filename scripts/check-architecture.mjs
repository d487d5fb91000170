// Checks that the packages keep the house's rules (scripts/architecture) and prints their figures.
import { figures } from './architecture/figures.mjs'
import { judge, RULES } from './architecture/rules.mjs'
import { tallFiles } from './architecture/shape.mjs'
import { readPackages } from './source/workspace.mjs'

const place = ({ file, line }) => (line === undefined ? file : `${file}:${line}`)

const packages = readPackages()
const problems = judge(packages)

for (const tall of packages.flatMap(tallFiles)) console.log(`note: ${place(tall)} ${tall.message}`)
for (const problem of problems) {
  console.error(`${place(problem)}  ${problem.message}  (${problem.rule})`)
}

const f = figures(packages)
console.log(
  `${f.files} files, ${f.code} lines: median ${f.median}, p90 ${f.p90}, largest ${f.largest}; ` +
    `longest function ${f.longestFunction}; tests : code ${f.testsPerCode} : 1`,
)
console.log(`${Object.keys(RULES).length} rules, ${problems.length} broken places`)
process.exitCode = problems.length > 0 ? 1 : 0
