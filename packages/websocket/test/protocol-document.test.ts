import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createHub, type Hub } from '../src/hub/index.ts'
import { resolveHubOptions } from '../src/hub/options.ts'
import { GAP_REASONS, REFUSAL_CODES } from '../src/protocol/bus-v1/limits.ts'
import { until } from './harness.ts'
import { dial, type WireClient } from './wire-client.ts'

const DOCUMENT = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8')

/** The cells of the first table behind a heading, without its head. */
function tableBehind(heading: string): string[][] {
  const [, behind = ''] = DOCUMENT.split(`\n${heading}\n`, 2)
  const rows = (/\n\|.*?\n(?!\|)/s.exec(behind)?.[0] ?? '').trim().split('\n').slice(2)
  return rows.map((row) => row.split('|').map((cell) => cell.trim()))
}

const unquote = (cell = ''): string => cell.replaceAll('`', '')

/** The text of the first cell of each row. */
function firstCells(heading: string): string[] {
  return tableBehind(heading).map(([, cell]) => unquote(cell))
}

/** Says the lines of the conversation to real hubs and compares what they answer, line by line. */
class Conversation {
  readonly #clients = new Map<string, WireClient>()
  /** How many lines of each client were compared. */
  readonly #heard = new Map<WireClient, number>()
  /** Names of sessions and logs in the document, with the real ones. */
  readonly #names = new Map<string, string>()
  #hub: Hub | undefined

  async follow(text: string): Promise<void> {
    for (const line of text.split('\n')) {
      const [who = '', direction = ''] = line.slice(0, 2)
      if (line.startsWith('-- Both links break.')) await this.#cut()
      else if (line.startsWith('-- The hub dies')) await this.#restart()
      else if (direction === '>') await this.#say(who, line.slice(3))
      else await this.#hear(who, line.slice(3))
    }
    await this.#cut()
  }

  async #say(who: string, text: string): Promise<void> {
    this.#hub ??= await startHub()
    const client = this.#clients.get(who) ?? (await dial(this.#hub))
    this.#clients.set(who, client)
    client.say(text.replaceAll(/(?<=")[a-zA-Z-]+(?=")/g, (name) => this.#names.get(name) ?? name))
    await client.settled()
  }

  async #hear(who: string, expected: string): Promise<void> {
    const client = this.#clients.get(who)
    if (client === undefined) throw new Error(`${who} hears something before it has said anything`)
    const index = this.#heard.get(client) ?? 0
    this.#heard.set(client, index + 1)
    await until(() => client.lines.length > index, expected)
    const line = client.lines[index] ?? ''
    if (!expected.startsWith('welcome ')) expect(line).toBe(expected)
    else this.#compareWelcome(client.welcome, JSON.parse(expected.slice(8)) as Names)
  }

  #compareWelcome(real: Names, { sid, epoch, ...rest }: Names): void {
    expect(real).toMatchObject(rest)
    for (const [name, value] of [
      [sid, real.sid],
      [epoch, real.epoch],
    ] as const) {
      // The same name means the same thing, and another name another one.
      expect(this.#names.get(name) ?? value).toBe(value)
      this.#names.set(name, value)
    }
    expect(new Set(this.#names.values()).size).toBe(this.#names.size)
  }

  /** Nothing was said that the document leaves out, and then everybody is gone. */
  async #cut(): Promise<void> {
    for (const client of this.#clients.values()) {
      await client.settled()
      expect(client.lines).toHaveLength(this.#heard.get(client) ?? 0)
      client.ws.terminate()
    }
    this.#clients.clear()
    await until(() => this.#hub?.stats().connections === 0, 'everybody to be gone')
  }

  async #restart(): Promise<void> {
    await this.#cut()
    await this.#hub?.close()
    this.#hub = undefined
  }
}

interface Names {
  readonly sid: string
  readonly epoch: string
}

async function startHub(): Promise<Hub> {
  const hub = await createHub({ allowAnonymous: true, confirm: 'subscribers', graceMs: 0 })
  onTestFinished(() => hub.close())
  return hub
}

test('the documented conversation is the one that a client has with the hub', async () => {
  const [, text = ''] = /```conversation\n(.*?)\n```/s.exec(DOCUMENT) ?? []
  expect(text.split('\n').length).toBeGreaterThan(30)
  await new Conversation().follow(text)
})

test('the documented limits of the hub are its defaults', () => {
  const { limits, log, ...options } = resolveHubOptions({ allowAnonymous: true })
  const { window, rate, principalRate, ...others } = limits
  const found = Object.fromEntries(
    tableBehind('## Limits').map(([, , value = '', option]) => [
      unquote(option),
      Number(value.replaceAll(',', '')),
    ]),
  )
  const named = (path: string, values: object): [string, unknown][] =>
    Object.entries(values).map(([name, value]) => [`${path}${name}`, value])
  expect(found).toMatchObject(
    Object.fromEntries([
      ...named('limits.', others),
      ...named('limits.window.', window),
      ...named('limits.rate.', rate),
      ...named('limits.principalRate.', principalRate),
      ...named('log.', log),
    ]),
  )
  const { maxMessageBytes, sessionTtlMs, holdMs, graceMs, heartbeatMs, helloMs, closeMs } = options
  const times = { sessionTtlMs, holdMs, graceMs, heartbeatMs, helloMs, closeMs }
  expect(found).toMatchObject({ maxMessageBytes, ...times })
})

test('the documented codes of refusals and gaps are those that exist', () => {
  expect(firstCells('### ok, no').toSorted()).toEqual(REFUSAL_CODES.toSorted())
  expect(firstCells('### gap').toSorted()).toEqual(GAP_REASONS.toSorted())
})
