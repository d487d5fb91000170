/** What the checks need of Markdown: fenced blocks with their lines, tables, links and headings. */

/** The fenced blocks of a text: language words, content, and the line on which the content begins. */
export function fences(text) {
  const found = []
  let open
  for (const [index, line] of text.split('\n').entries()) {
    const mark = /^( *)(`{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (mark !== null) {
        const info = mark[3].trim().split(/\s+/)
        open = { ticks: mark[2], indent: mark[1].length, info, line: index + 2, content: [] }
      }
    } else if (mark !== null && mark[2].length >= open.ticks.length && mark[3].trim() === '') {
      found.push({ info: open.info, line: open.line, text: open.content.join('\n') })
      open = undefined
    } else {
      open.content.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)))
    }
  }
  return found
}

/** The text with every fenced block emptied, so that what looks like prose is prose; lines keep their numbers. */
function prose(text) {
  const lines = text.split('\n')
  for (const { line, text: content } of fences(text)) {
    for (let i = 0; i < content.split('\n').length; i++) lines[line - 1 + i] = ''
  }
  return lines.join('\n')
}

/** The rows of the tables in a text, cells trimmed, without head and rule; `columns` of the head choose the table. */
export function tableRows(text, columns) {
  const rows = []
  let inside = false
  for (const [index, line] of prose(text).split('\n').entries()) {
    if (!line.startsWith('|')) {
      inside = false
      continue
    }
    const cells = line
      .replace(/^\||\|\s*$/g, '')
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim())
    if (cells.every((cell, i) => cell.toLowerCase() === columns[i]) && cells.length > 0)
      inside = true
    else if (inside && !cells.every((cell) => /^:?-+:?$/.test(cell))) {
      rows.push({ cells, line: index + 1 })
    }
  }
  return rows
}

/** Links to places inside the repository: target, anchor, line. */
export function links(text) {
  return prose(text)
    .split('\n')
    .flatMap((line, index) =>
      [...line.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g)]
        .map(([, target, anchor]) => ({ target, anchor, line: index + 1 }))
        .filter(({ target }) => !/^[a-z]+:/.test(target)),
    )
}

/** The anchors that a text's headings give. */
export function anchors(text) {
  return prose(text)
    .split('\n')
    .map((line) => /^#{1,6} +(.*)$/.exec(line)?.[1])
    .filter((heading) => heading !== undefined)
    .map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    )
}

/** A heading and a table for each `group` of the rows; `cells(row)` gives the cells of one. Columns are not padded. */
export function table(rows, columns, cells) {
  const line = (row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`
  return [...new Set(rows.map(({ group }) => group))]
    .map((title) => {
      const members = rows.filter(({ group }) => group === title)
      const lines = [columns, columns.map(() => '---'), ...members.map(cells)].map(line)
      return `## ${title}\n\n${lines.join('')}`
    })
    .join('\n')
}

/** A link from a page in `docs` to the first of these files, and the number of the others: `[outbox](…) +2`. */
export function fileLinks(paths) {
  const [first, ...others] = new Set(paths)
  if (first === undefined) return ''
  const label = first.slice(first.lastIndexOf('/') + 1).replace(/\.test\.\w+$/, '')
  return `[${label}](../${first})${others.length > 0 ? ` +${others.length}` : ''}`
}
