/** The glossary: each term once, in order, and the names in code that it points at are exported. */

const LINE = /^- \*\*(.+?)\*\*(.*)$/

/** What is wrong with it. @param exported - the names that sources of the packages export */
export function checkGlossary(file, text, exported) {
  const rows = text.split('\n').flatMap((line, index) => {
    const match = LINE.exec(line)
    return match === null ? [] : [{ term: match[1], rest: match[2], line: index + 1 }]
  })
  return rows.flatMap(({ term, rest, line }, index) => {
    const previous = rows[index - 1]?.term ?? ''
    const messages = previous < term ? [] : [`${term} is there twice, or not in order`]
    const code = / Code: (.*)$/.exec(rest)
    if (code !== null) {
      const names = code[1].split(', ').map((name) => name.replaceAll('`', ''))
      const missing = names.filter((name) => !exported.has(name))
      messages.push(...missing.map((name) => `${term}: no source exports ${name}`))
    } else if (!rest.includes(' Not in code yet')) {
      messages.push(`${term} does not say where it is defined`)
    }
    return messages.map((message) => ({ file, line, message }))
  })
}
