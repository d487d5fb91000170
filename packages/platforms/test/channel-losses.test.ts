import { expect, test } from 'vitest'
import { until } from '@bus/test-support/websocket'
import { marketTo, relink, serveMarket } from './market-server.ts'

test('whenever the link breaks, in the end the server has what is wanted, and nothing else', async () => {
  const server = await serveMarket()
  const { transport, channels } = marketTo(server)
  await transport.connect()
  const wanted = new Set<string>()
  for (let round = 0; round < 40; round++) {
    const channel = `c${round % 7}`
    const isWanted = round % 3 !== 2
    const change = isWanted ? channels.subscribe([channel]) : channels.unsubscribe([channel])
    if (isWanted) wanted.add(channel)
    else wanted.delete(channel)
    if (round % 4 === 1) server.mock.faults.reset()
    if (round % 8 === 3) await change
    else change.catch(() => {})
  }
  const confirmed = (): string[] => channels.list('confirmed').map(({ channel }) => channel)
  const sorted = (names: Iterable<string>): string[] => [...names].toSorted()
  await until(() => transport.status.state === 'ready', 'ready again')
  await until(() => channels.list('pending').length === 0, 'all is answered')
  await channels.unsubscribe([])
  expect(sorted(confirmed())).toEqual(sorted(wanted))
  expect(sorted(server.channels)).toEqual(sorted(wanted))
  await relink(server, transport)
  expect(sorted(server.channels)).toEqual(sorted(wanted))
})
