/** What the name service answers: nothing, not now, or several addresses. */
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { only, record, serve, transportTo } from './harness.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

interface Address {
  readonly address: string
  readonly family: 4 | 6
}

type Answer = string | readonly Address[]

/** Puts answers in the place of the name service: an error's code, or addresses. The last one stays. */
function lookups(...answers: readonly Answer[]): { readonly asked: string[] } {
  const asked: string[] = []
  const left = [...answers]
  vi.spyOn(dns, 'lookup').mockImplementation(((
    host: string,
    _options: object,
    done: (error: Error | null, addresses?: readonly Address[]) => void,
  ): void => {
    asked.push(host)
    const answer = left.length > 1 ? left.shift() : left[0]
    setImmediate(() => {
      if (typeof answer !== 'string') done(null, answer)
      else done(Object.assign(new Error(`lookup ${answer}`), { code: answer }))
    })
  }) as unknown as typeof dns.lookup)
  return { asked }
}

const HERE: Address = { address: '127.0.0.1', family: 4 }
const ALSO_HERE: Address = { address: '::1', family: 6 }

test('a name that is not known, or not known now, is looked up again until it has an address [F29]', async () => {
  const server = await serve()
  const { asked } = lookups('ENOTFOUND', 'EAI_AGAIN', [HERE])
  const transport = transportTo({ url: server.url.replace('127.0.0.1', 'bus.example') })
  const notices = record(transport)
  await transport.connect({ retry: true })
  expect(asked).toEqual(Array(3).fill('bus.example'))
  expect(only(notices, 'error').map(({ error }) => error)).toMatchObject([
    { code: 'connection', retryable: true, cause: { code: 'ENOTFOUND' } },
    { code: 'connection', retryable: true, cause: { code: 'EAI_AGAIN' } },
  ])
})

test('a name with two addresses of which one answers is connected to [F30]', async () => {
  const server = await serve()
  lookups([ALSO_HERE, HERE])
  const transport = transportTo({ url: server.url.replace('127.0.0.1', 'bus.example') })
  await transport.connect()
  expect(server.live).toHaveLength(1)
})

test('a name whose addresses all refuse fails with the code of each, and is tried again [F30]', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  lookups([ALSO_HERE, HERE])
  const transport = transportTo({ url: `ws://bus.example:${port}/` })
  const error: unknown = await transport.connect().catch((thrown: unknown) => thrown)
  // Where the machine has no IPv6 the first of them is another code.
  expect(error).toMatchObject({
    code: 'connection',
    retryable: true,
    message: expect.stringMatching(/: E[A-Z]+, ECONNREFUSED$/) as string,
    cause: expect.any(AggregateError) as Error,
  })
})
