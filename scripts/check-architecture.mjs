// Checks that the packages keep the rules of the architecture (scripts/architecture), and prints what is worth a look.
import { judge, REPORTS, RULES } from './architecture/rules.mjs'
import { figures } from './architecture/shape.mjs'
import { readPackages } from './source/workspace.mjs'

const text = ({ file, line, message, rule }) =>
  `${line === undefined ? file : `${file}:${line}`}  ${message}  (${rule})`

const packages = readPackages()
const reports = judge(packages, REPORTS)
const problems = judge(packages)

for (const report of reports) console.log(`note: ${text(report)}`)
for (const problem of problems) console.error(text(problem))

const f = figures(packages)
console.log(
  `${f.files} files, ${f.code} lines: median ${f.median}, p90 ${f.p90}, largest ${f.largest}; ` +
    `tests : code ${f.testsPerCode} : 1`,
)
for (const rule of Object.keys(REPORTS)) {
  console.log(`${reports.filter((report) => report.rule === rule).length} notes: ${rule}`)
}
console.log(`${Object.keys(RULES).length} rules, ${problems.length} broken places`)
process.exitCode = problems.length > 0 ? 1 : 0
