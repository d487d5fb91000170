/** The demonstration: prices before and after the credentials are renewed, and over a restart of the server. */
import { once } from 'node:events'
import { createBus } from '@bus/core'
import { PriceServer } from './price-server.ts'
import { pricesClient } from './prices.ts'

/** Runs it; every line that it prints goes to `print`. */
export async function run(print: (line: string) => void): Promise<void> {
  await using server = await PriceServer.start()
  // Every line is one step, for which a test can wait.
  const steps = new EventTarget()
  const say = (line: string): void => {
    print(line)
    steps.dispatchEvent(new Event(line))
  }
  const said = (line: string): Promise<unknown> =>
    once(steps, line, { signal: AbortSignal.timeout(10_000) })

  const { transport } = pricesClient(say).open({ url: server.url })
  await using bus = createBus({ transport })
  await bus.subscribe('ticker.BTC', ({ type, payload }) => {
    say(`${type} ${JSON.stringify(payload)}`)
  })

  const first = said('ticker.BTC {"price":64000}')
  server.tick('ticker.BTC', 64_000)
  await first
  await said('credentials: authenticated') // two seconds before they would end

  const back = said('connected again')
  server.restart()
  await back
  const second = said('ticker.BTC {"price":64001}')
  server.tick('ticker.BTC', 64_001)
  await second
  print(`the server was asked: ${server.log.join(', ')}`)
}
