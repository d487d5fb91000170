import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import CircuitBreaker from 'opossum'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'

// What opossum does where we do without it. More of it, and of the other libraries, stands in dependencies.test.ts.

afterEach(() => {
  vi.useRealTimers()
})

const down = (): Promise<never> => Promise.reject(new Error('down'))

function breaker(
  action: () => Promise<unknown>,
  options: CircuitBreaker.Options = {},
): CircuitBreaker<[]> {
  const circuit = new CircuitBreaker(action, {
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    timeout: false,
    ...options,
  })
  onTestFinished(() => circuit.shutdown())
  return circuit
}

test('its share of failures must be above the threshold: at exactly half it never opens, and refused calls count among all [F112]', async () => {
  let n = 0
  const alternating = (): Promise<unknown> => (n++ % 2 === 1 ? down() : Promise.resolve())
  const circuit = breaker(alternating, { errorThresholdPercentage: 50, volumeThreshold: 2 })
  for (let call = 0; call < 100; call++) await circuit.fire().catch(() => {})
  expect(circuit.closed).toBe(true)
  circuit.open()
  for (let call = 0; call < 10; call++) await circuit.fire().catch(() => {})
  expect(circuit.stats).toMatchObject({ fires: 110, failures: 50, rejects: 10 })
})

test('its time limit neither ends the action nor leaves with shutdown(), so it gets none [F114]', async () => {
  vi.useFakeTimers()
  let isRunning = false
  const action = (): Promise<void> => {
    isRunning = true
    return new Promise(() => {})
  }
  const circuit = breaker(action, { timeout: 10_000 })
  const fired = circuit.fire().catch((error: { code: string }) => error.code)
  circuit.shutdown()
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await fired).toBe('ETIMEDOUT')
  expect(isRunning).toBe(true)
})

test('a call never settles when its filter of errors throws, which ends the process, so it gets none [F120]', async () => {
  const script = `
    import CircuitBreaker from 'opossum'
    process.on('unhandledRejection', (error) => process.stdout.write('stray ' + error.message))
    const errorFilter = () => { throw new Error('filter') }
    const circuit = new CircuitBreaker(() => Promise.reject(new Error('down')), { timeout: false, errorFilter })
    const settled = () => process.stdout.write('settled')
    circuit.fire().then(settled, settled)
    setTimeout(() => circuit.shutdown(), 20)`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { cwd: new URL('..', import.meta.url), timeout: 50_000 },
  )
  expect(stdout).toBe('stray filter')
})

test('one abort controller serves all calls: after one time limit every later call starts aborted, so it gets none [F122]', async () => {
  const abortController = new AbortController()
  const action = (): Promise<unknown> => new Promise(() => {})
  const circuit = breaker(action, { timeout: 5, abortController, volumeThreshold: 100 })
  await expect(circuit.fire()).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  expect(abortController.signal.aborted).toBe(true)
})
