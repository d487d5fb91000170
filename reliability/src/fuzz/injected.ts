/** Fuzzes a hub in a process of its own over links without a network, and probes it over TCP meanwhile. */
import { fork } from 'node:child_process'
import { on, once } from 'node:events'
import { Probe } from '../raw/probe.ts'
import type { FuzzNews, FuzzOrder } from './orders.ts'

/** Milliseconds between two words of the process. */
const DEADLINE_MS = 120_000

/** What came of it. */
export type InjectedResult = Extract<FuzzNews, { readonly kind: 'done' }> & {
  readonly probes: number
  readonly served: number
  readonly probeFailures: readonly string[]
}

/** @param onInputs - hears how far it is. @throws when the process ends before its work */
export async function fuzzInjected(
  order: FuzzOrder,
  onInputs: (inputs: number) => void,
): Promise<InjectedResult> {
  const child = fork(new URL('injected-process.js', import.meta.url), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  })
  const gone = new AbortController()
  child.once('exit', () => gone.abort(new Error('The process ended before its work')))
  try {
    const words = on(child, 'message', { signal: gone.signal })
    const next = async (): Promise<FuzzNews> => {
      const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
      const { value } = (await words.next()) as { value: [FuzzNews] }
      clearTimeout(deadline)
      return value[0]
    }
    child.send(order)
    const first = await next()
    if (first.kind !== 'listening') throw new Error(JSON.stringify(first))
    await using probe = await Probe.start({ url: `ws://127.0.0.1:${first.port}` })
    child.send('go')
    let probes = 0
    for (;;) {
      const news = await next()
      if (news.kind === 'done') {
        return { ...news, probes, served: probe.served, probeFailures: probe.failures }
      }
      if (news.kind === 'pause') onInputs(news.inputs)
      await probe.serve()
      probes++
      child.send('go')
    }
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
  }
}
