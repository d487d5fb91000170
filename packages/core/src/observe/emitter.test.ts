import { describe, expect, test } from 'vitest'
import { listenersOf } from '@bus/test-support'
import { Emitter } from './emitter.ts'

interface Notices {
  notice: number
  other: string
}

function setUp(): { emitter: Emitter<Notices>; failures: unknown[]; heard: number[] } {
  const failures: unknown[] = []
  const emitter = new Emitter<Notices>((error, name) => failures.push([name, error]))
  return { emitter, failures, heard: [] }
}

describe('listening', () => {
  test('listeners hear each notice of their name, in the order in which they came', () => {
    const { emitter, heard } = setUp()
    emitter.on('notice', (n) => heard.push(n))
    emitter.on('notice', (n) => heard.push(n * 10))
    emitter.on('other', () => heard.push(-1))
    emitter.emit('notice', 1)
    emitter.emit('notice', 2)
    expect(heard).toEqual([1, 10, 2, 20])
  })

  test('the same function registered twice is called twice, and each registration ends by itself', () => {
    const { emitter, heard } = setUp()
    const listener = (n: number): void => void heard.push(n)
    const stop = emitter.on('notice', listener)
    emitter.on('notice', listener)
    emitter.emit('notice', 1)
    stop()
    emitter.emit('notice', 2)
    expect(heard).toEqual([1, 1, 2])
  })

  test('once hears one notice, also when it emits the same again from within', () => {
    const { emitter, heard } = setUp()
    emitter.on(
      'notice',
      (n) => {
        heard.push(n)
        emitter.emit('notice', n + 1)
      },
      { once: true },
    )
    emitter.emit('notice', 1)
    expect(heard).toEqual([1])
    expect(emitter.has('notice')).toBe(false)
  })

  test('it ends by its function, by using, by its signal and by clear', () => {
    const { emitter, heard } = setUp()
    const listener = (n: number): void => void heard.push(n)
    const controller = new AbortController()
    const stop = emitter.on('notice', listener)
    stop()
    stop()
    emitter.on('notice', listener)[Symbol.dispose]()
    emitter.on('notice', listener, { signal: controller.signal })
    controller.abort()
    emitter.on('notice', listener, { signal: AbortSignal.abort() })
    expect(emitter.has('notice')).toBe(false)
    emitter.on('notice', listener)
    emitter.clear()
    emitter.emit('notice', 1)
    expect(heard).toEqual([])
  })

  test('has says whether there is a listener', () => {
    const { emitter } = setUp()
    expect(emitter.has('notice')).toBe(false)
    emitter.on('other', () => {})
    expect(emitter.has('notice')).toBe(false)
    emitter.on('notice', () => {})
    expect(emitter.has('notice')).toBe(true)
  })

  test('no ending leaves a listener on the signal', () => {
    const { emitter } = setUp()
    const { signal } = new AbortController()
    for (let i = 0; i < 100; i++) emitter.on('notice', () => {}, { signal })()
    for (let i = 0; i < 5; i++) emitter.on('notice', () => {}, { signal, once: true })
    expect(listenersOf(signal)).toBe(1)
    emitter.emit('notice', 1)
    expect(listenersOf(signal)).toBe(0)
    emitter.on('notice', () => {}, { signal })
    emitter.clear()
    expect(listenersOf(signal)).toBe(0)
  })
})

describe('guarding', () => {
  test('a listener that throws or rejects is reported, and the others hear the notice', async () => {
    const { emitter, failures, heard } = setUp()
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')]
    emitter.on('notice', () => {
      throw thrown
    })
    const late = async (): Promise<void> => Promise.reject(rejected)
    emitter.on('notice', (n) => (n > 0 ? (late() as unknown as undefined) : undefined))
    emitter.on('notice', (n) => heard.push(n))
    expect(() => emitter.emit('notice', 1)).not.toThrow()
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([1])
    expect(failures).toEqual([
      ['notice', thrown],
      ['notice', rejected],
    ])
  })

  test('a listener that was stopped by one before it does not hear the notice any more', () => {
    const { emitter, heard } = setUp()
    emitter.on('notice', () => stop())
    const stop = emitter.on('notice', (n) => heard.push(n))
    emitter.emit('notice', 1)
    expect(heard).toEqual([])
  })

  test('a listener that was added by another hears the next notice', () => {
    const { emitter, heard } = setUp()
    emitter.on('notice', () => void emitter.on('notice', (n) => heard.push(n)), { once: true })
    emitter.emit('notice', 1)
    emitter.emit('notice', 2)
    expect(heard).toEqual([2])
  })
})
