/**
 * The figures of the reliability suites, as docs/guarantees.md quotes them: a table between two marks, made from the file that
 * `npm run reliability -- --out docs/reliability.json` writes.
 */

const BEGIN = '<!-- reliability -->'
const END = '<!-- /reliability -->'

const count = (value) => value.toLocaleString('en-US')
const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`
const sum = (values) => values.reduce((total, value) => total + value, 0)

/** Per suite: what was done, and what came of it. `got` gives the figure of a bar by its name. */
const ROWS = {
  chaos: (figures, got) => [
    `${count(figures.hub.publishes)} publishes, ${count(figures.hub.tears.disconnects)} forced disconnects, ` +
      `${count(figures.hub.tears.midFrame)} of them in mid-frame`,
    `${got("confirm 'hub': lost")} lost, ${got("confirm 'hub': duplicates at the handlers")} twice, ` +
      `${got("confirm 'hub': out of order")} out of order, ${got("confirm 'hub': false gaps")} false gaps`,
  ],
  restarts: (figures, got) => [
    `${count(figures.subscribers.publishes)} publishes while the hub is killed ${figures.subscribers.restarts} times`,
    `${got("confirm 'subscribers': lost")} lost when confirmed by subscribers, ` +
      `${got("confirm 'hub': lost in silence")} in silence when confirmed by the hub`,
  ],
  gaps: (figures) => [
    `${count(figures.publishes)} publishes to readers that are too slow for them`,
    `${count(sum(figures.subscribers.map(({ lost }) => lost)))} missed, ` +
      `${count(sum(figures.subscribers.map(({ gapSize }) => gapSize)))} reported in gaps`,
  ],
  storm: (figures, got) => [
    `${count(figures.clients)} links cut at once, ${count(figures.publishes)} publishes meanwhile`,
    `all resumed in ${(figures.resumeMs / 1_000).toFixed(1)} s, ${got('lost')} lost, at most ` +
      `${count(figures.peakAcceptsPerSecond)} accepted in a second, event loop p99 ${Math.round(figures.loopP99Ms)} ms`,
  ],
  leaks: (figures) => [
    `${count(figures.cycles)} reconnects, refused dials, subscriptions and aborted publishes each`,
    `at most ${megabytes(Math.max(...leaked(figures, 'client')))} more in the client and ` +
      `${megabytes(Math.max(...leaked(figures, 'hub')))} in the hub, no handle left`,
  ],
  readers: (figures) => [
    `${figures.bad} slow and frozen readers beside ${figures.healthy} others`,
    `p99 of the others × ${figures.ratio}, ${megabytes(figures.growthBytes)} more in the hub`,
  ],
  processes: (figures) => [
    `${figures.cases} cases of processes frozen, killed or terminated`,
    `${figures.cases - figures.misses.length} with their exact outcome`,
  ],
  stalls: (figures) => [
    `${figures.stalls} stalls of an event loop beyond the heartbeat’s limit`,
    `${figures.verdicts} false verdicts`,
  ],
  soak: (figures, got) => [
    `${figures.simulatedHours} simulated hours, ${count(sum(Object.values(figures.faults)))} faults of ` +
      `${Object.keys(figures.faults).length} kinds under load`,
    `${got('lost')} lost, ${got('duplicates at the handlers')} twice, ` +
      `${got('false heartbeat verdicts')} false heartbeat verdicts${growthPerDay(figures)}`,
  ],
  inputs: (figures) => [
    `${count(figures.all)} bad inputs`,
    `${count(figures.all - figures.outcomes.length)} refused exactly as they should be`,
  ],
  fuzz: (_figures, got) => [
    `${got('injected: inputs')} fuzzed inputs for the hub, ${got('over TCP: inputs')} over TCP, ` +
      `${got('clients: inputs')} for clients`,
    `${got('over TCP: crashes')} crashes, ${got('inputs that something went wrong at')} answered wrongly`,
  ],
  security: ({ grants, doors }, got) => [
    `${doors.refused} origins and hosts, ${count(grants.patterns)} patterns, stolen sessions, floods and crowds`,
    `${got('grants: events outside of the grants')} events outside of the grants, ` +
      `${got('sessions: stolen')} sessions stolen`,
  ],
  rfc6455: (figures) => [
    `${count(figures.rows)} rows of frames, for hub and client`,
    `${figures.hub.length + figures.client.length} answered differently from RFC 6455`,
  ],
}

/** Only a whole day says something of the heap. */
function growthPerDay({ simulatedHours, heapBytesPerDay: { client, hub } }) {
  if (simulatedHours < 24) return ''
  return `, heap ${megabytes(client)} more in the clients and ${megabytes(hub)} in the hub`
}

function leaked(figures, side) {
  return Object.values(figures).flatMap((round) => round[side] ?? [])
}

/** The block, marks included. @param published - what the file holds */
export function figuresBlock(published) {
  const rows = Object.entries(ROWS).flatMap(([name, row]) => {
    const suite = published[name]
    return suite === undefined ? [] : [rowOf(name, suite, row)]
  })
  const { commit, versions, cores } = Object.values(published)[0].origin
  return [
    BEGIN,
    '',
    '| [suite](../reliability/README.md) | what was done | what came of it |',
    '| --- | --- | --- |',
    ...rows,
    '',
    `On ${cores} cores with Node ${versions.node.slice(1)} and ws ${versions.ws}, at \`${commit.slice(0, 7)}\`; all figures, seeds`,
    'and versions are in [reliability.json](reliability.json). `npm run reliability` runs them again.',
    '',
    END,
  ].join('\n')
}

function rowOf(name, suite, row) {
  const got = (bar) => count(Number.parseInt(suite.bars[bar], 10))
  const [done, outcome] = row(suite.figures, got)
  const size = suite.size === 'full' ? '' : ` (${suite.size} run)`
  const missed = Object.values(suite.bars).some((bar) => bar.includes('instead of'))
  return `| ${name}${size} | ${done} | ${missed ? '**a bar was missed**: ' : ''}${outcome} |`
}

/** The text with the block in the place of the one that it has. */
export function withFigures(text, published) {
  const [before, after] = around(text)
  return `${before}${figuresBlock(published)}${after}`
}

function around(text) {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`There is no ${BEGIN} … ${END}`)
  return [text.slice(0, begin), text.slice(end + END.length)]
}

/** What is wrong with the block of a document. Spaces that a formatter puts into tables do not count. */
export function checkFigures(file, text, published) {
  if (!text.includes(BEGIN)) return [{ file, message: `has no ${BEGIN}` }]
  const [before, after] = around(text)
  const block = text.slice(before.length, text.length - after.length)
  if (squeezed(block) === squeezed(figuresBlock(published))) return []
  const line = before.split('\n').length
  return [{ file, line, message: 'quotes other figures; npm run docs' }]
}

const squeezed = (text) => text.replaceAll(/-{3,}/g, '---').replaceAll(/\s+/g, ' ')
