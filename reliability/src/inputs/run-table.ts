/** Runs the table, group by group, and tallies: outcomes, counters, what readers got, and who was served. */
import type { WatchedHubs } from '../hub/watched-hubs.ts'
import { Probe } from '../raw/probe.ts'
import type { Group } from './group.ts'
import { figuresOf, isSame, movedBetween } from './hub-figures.ts'
import { HUBS, TOKEN } from './hubs.ts'
import type { Moved, Row, Table } from './row.ts'
import { runRow } from './run-row.ts'
import { PlainWatcher, Watcher } from './watcher.ts'

/** Milliseconds until a hub must have seen that a peer is gone. */
const GONE_MS = 5_000

/** A row that did not do what it must. */
export interface Miss {
  readonly group: Group
  readonly row: string
  readonly want: string
  readonly got: string
}

/** What was counted over all groups. */
export class TableTally {
  readonly rows: Record<string, number> = {}
  readonly outcomes: Miss[] = []
  readonly counters: Miss[] = []
  readonly secrets: string[] = []
  /** Readers that got other events than those that entered the log. */
  readonly readers: string[] = []
  probes = 0
  served = 0
  readonly failures: string[] = []
}

/** The hubs of the table with a watcher each. Ends with its run. */
export class House implements AsyncDisposable {
  readonly tally: TableTally = new TableTally()
  readonly #hubs: WatchedHubs
  readonly #watchers = new Map<string, Watcher>()
  /** On the open hub. */
  #plain: PlainWatcher | undefined
  /** What that one must have got. */
  #plainMessages = 0
  readonly #figures = new Map<string, Moved>()
  /** Connections that stay. */
  readonly #residents = new Map<string, number>()

  private constructor(hubs: WatchedHubs) {
    this.#hubs = hubs
  }

  static async open(hubs: WatchedHubs): Promise<House> {
    const house = new House(hubs)
    for (const [name, settings] of Object.entries(HUBS)) {
      const port = await hubs.open(name, settings)
      // Where timing matters, only rows run.
      if (settings.helloMs === undefined) {
        const target = settings.path ?? '/'
        const who = settings.tokens === undefined ? {} : { token: TOKEN.alice }
        const settles = name !== 'held'
        house.#watchers.set(name, await Watcher.start({ port, target, settles, ...who }))
      }
      if (name === 'open') house.#plain = await PlainWatcher.start(port)
      const stats = await hubs.stats(name)
      house.#figures.set(name, figuresOf(stats))
      house.#residents.set(name, stats.connections)
    }
    return house
  }

  /** Runs every row of a group, then checks whether every client is still served. */
  async run(group: Group, rows: Table[Group]): Promise<void> {
    for (const row of rows) {
      await this.#try(group, row)
      this.tally.rows[group] = (this.tally.rows[group] ?? 0) + 1
    }
    const used = new Set(rows.map(({ hub }) => hub))
    for (const hub of used) await this.#look(group, hub)
  }

  async #try(group: Group, row: Row): Promise<void> {
    const { tally } = this
    const { got, showsSecret } = await runRow(row, this.#hubs.portOf(row.hub))
    const note = { group, row: row.name }
    if (got !== row.want && row.orElse?.includes(got) !== true) {
      tally.outcomes.push({ ...note, want: brief(row.want), got: brief(got) })
    }
    if (showsSecret) tally.secrets.push(`${group}: ${row.name}`)
    const moved = await this.#movedOf(row.hub)
    if (isSame(moved, row.moved)) return
    tally.counters.push({ ...note, want: JSON.stringify(row.moved), got: JSON.stringify(moved) })
  }

  /** What the hub counted since the last look, once the peers of the row are gone. */
  async #movedOf(hub: string): Promise<Moved> {
    const endsAt = performance.now() + GONE_MS
    let stats = await this.#hubs.stats(hub)
    while (stats.connections !== this.#residents.get(hub) && performance.now() < endsAt) {
      stats = await this.#hubs.stats(hub)
    }
    const before = this.#figures.get(hub) ?? {}
    const after = figuresOf(stats)
    this.#figures.set(hub, after)
    const moved = movedBetween(before, after)
    if (hub === 'open') this.#plainMessages += plainMessagesOf(moved)
    return moved
  }

  /** Readers got what entered the log, and a client is served. */
  async #look(group: Group, hub: string): Promise<void> {
    const watcher = this.#watchers.get(hub)
    const { published = 0 } = this.#figures.get(hub) ?? {}
    if (watcher !== undefined) {
      await until(() => watcher.events === published)
      await watcher.catchUp()
      if (watcher.events !== published || watcher.isOver) {
        this.tally.readers.push(`${group}, ${hub}: ${watcher.events} of ${published}`)
      }
    }
    const plain = this.#plain
    if (hub === 'open' && plain !== undefined) {
      await until(() => plain.messages === this.#plainMessages)
      if (plain.messages !== this.#plainMessages || plain.isOver) {
        this.tally.readers.push(`${group}, plain: ${plain.messages} of ${this.#plainMessages}`)
      }
    }
    // Its log is full for good, which is what it is there for.
    if (hub === 'held') return
    this.tally.probes++
    const { path = '/', tokens } = HUBS[hub] ?? {}
    const url = `ws://127.0.0.1:${this.#hubs.portOf(hub)}${path}`
    const who = tokens === undefined ? {} : { token: TOKEN.alice, host: 'hub.example' }
    try {
      await using probe = await Probe.start({ url, ...who })
      await probe.serve()
      this.tally.served += probe.served
      this.tally.failures.push(...probe.failures.map((why) => `${group}, ${hub}: ${why}`))
    } catch (error) {
      this.tally.failures.push(`${group}, ${hub}: ${String(error)}`)
    }
    await this.#movedOf(hub)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#plain?.[Symbol.dispose]()
    for (const watcher of this.#watchers.values()) watcher[Symbol.dispose]()
    await this.#hubs[Symbol.asyncDispose]()
  }
}

/** What the plain wire got: its own messages, or events of the other one that have a form there. */
function plainMessagesOf(moved: Moved): number {
  const { received = 0, published = 0, unbridged = 0, plainRefused = 0 } = moved
  return received > 0 ? received - plainRefused : published - unbridged
}

async function until(isSo: () => boolean): Promise<void> {
  const endsAt = performance.now() + GONE_MS
  while (!isSo() && performance.now() < endsAt) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function brief(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}… of ${text.length}` : text
}
