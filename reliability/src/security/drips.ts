/** Drips: handshakes whose headers come one byte at a time, while others are served. */
import { connect } from 'node:net'
import { Probe } from '../raw/probe.ts'
import { atLeast, atMost, exactly } from '../report/bar.ts'
import type { Scene } from './scene.ts'

const DRIPS = 200
const BETWEEN_MS = 100
/** Headers may take 5 s, which is looked at once a second. */
const MAX_LIFE_MS = 7_000
const DEADLINE_MS = 20_000

/** How one of them ended. */
interface Drip {
  /** Milliseconds that it lived. */
  readonly ms: number
  /** The first line of what it was told. */
  readonly told: string
}

function drip(port: number): Promise<Drip> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const head = `GET / HTTP/1.1\r\nHost: hub\r\nX: ${'x'.repeat(1_000)}`
    let told = ''
    let sent = 0
    const timer = setInterval(() => socket.write(head[sent++] ?? 'x'), BETWEEN_MS)
    const late = setTimeout(() => socket.destroy(), DEADLINE_MS)
    socket.on('error', () => {})
    socket.on('data', (data: Buffer) => (told += data.toString('latin1')))
    socket.on('close', () => {
      clearInterval(timer)
      clearTimeout(late)
      resolve({ ms: performance.now() - startedAt, told: told.split('\r\n', 1)[0] ?? '' })
    })
  })
}

/** All gone in time; the probe is served meanwhile, again and again. */
export const drips: Scene = async ({ hubs, say }) => {
  const port = await hubs.open('drips', { allowAnonymous: true })
  await using probe = await Probe.start({ url: `ws://127.0.0.1:${port}` })
  const ends: Drip[] = []
  for (let i = 0; i < DRIPS; i++) void drip(port).then((end) => ends.push(end))
  let probes = 0
  while (ends.length < DRIPS) {
    await probe.serve()
    probes++
    say(`${DRIPS} handshakes drip, ${probe.served} probes served`)
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS))
  }
  const longest = Math.round(Math.max(...ends.map(({ ms }) => ms)))
  const refused = ends.filter(({ told }) => told.startsWith('HTTP/1.1 408')).length
  return {
    figures: { longest, refused, probes },
    bars: [
      exactly('drips: cut off with 408', refused, DRIPS),
      atMost('drips: ms until the last was gone', longest, MAX_LIFE_MS),
      atLeast('drips: probes meanwhile', probes, 5),
      exactly('drips: probes served', probe.served, probes),
    ],
  }
}
