/** A stand-in for an exchange whose streams are combined by the URL: it sends a few trades of each. */
import { startMockServer, type MockServer } from '@bus/testing'

const TRADES: Readonly<Record<string, readonly (readonly [price: string, quantity: string])[]>> = {
  'btcusdt@trade': [
    ['50000', '1'],
    ['50300', '2'],
  ],
  'ethusdt@trade': [
    ['3000', '5'],
    ['3000', '5'],
  ],
}

/** Listens on a free port. */
export async function startExchange(): Promise<MockServer> {
  return await startMockServer({
    onConnection: (connection) => {
      const { searchParams } = new URL(connection.request.url, 'ws://exchange')
      for (const stream of searchParams.get('streams')?.split('/') ?? []) {
        for (const [p, q] of TRADES[stream] ?? []) {
          connection.send({ stream, data: { s: stream.replace('@trade', '').toUpperCase(), p, q } })
        }
      }
      connection.send('{"stream":"cut off')
    },
  })
}
