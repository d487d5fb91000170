/** The pages of the API reference as texts: their names, their index, and what they must contain. */

/** The name of an entry point's page: `core-memory.md` for `@bus/core/memory`. */
export const pageOf = (entry) => `${entry.replace('@bus/', '').replaceAll('/', '-')}.md`

/** The index: a row for each entry point, with how many names of either kind it exports. */
export function indexPage(entries) {
  const rows = entries.map(
    ({ name, values, types }) => `| [\`${name}\`](${pageOf(name)}) | ${values} | ${types} |\n`,
  )
  return `# API reference

A page for each entry point of the packages: what it exports, as its source declares and documents it. Written by
\`npm run docs:api\`, which runs after every change of a public declaration; \`npm run check\` compares.

| import from | values | types |
| --- | --- | --- |
${rows.join('')}`
}

/** The exported names that have no heading on the page of their entry point. */
export function missingExports({ name, exported }, pages) {
  const page = pageOf(name)
  const text = (pages.get(page) ?? '').replaceAll('\\_', '_')
  const headings = new Set([...text.matchAll(/^### (?:`\w+` )?([\w$]+)/gm)].map(([, item]) => item))
  return exported
    .filter((item) => !headings.has(item))
    .map((item) => `docs/api/${page}: ${item}, which ${name} exports, is missing`)
}

/** What differs between the pages in the repository and those just written. */
export function differences(present, written) {
  return [...new Set([...present.keys(), ...written.keys()])]
    .filter((page) => present.get(page) !== written.get(page))
    .map((page) => `docs/api/${page} is not up to date: run \`npm run docs:api\``)
}
