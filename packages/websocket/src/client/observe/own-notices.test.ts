import { getEventListeners } from 'node:events'
import type { TransportEvents } from '@bus/core'
import { Emitter } from '@bus/core/kit'
import { expect, test } from 'vitest'
import { OwnNotices } from './own-notices.ts'

const make = () => {
  const source = new Emitter<TransportEvents>(() => {})
  return { source, own: new OwnNotices(source) }
}

test('follows a notice of its source from the first listener on', () => {
  const { source, own } = make()
  const heard: string[] = []
  expect(source.has('ready')).toBe(false)
  own.on('ready', () => void heard.push('one'), { once: true })
  own.on('ready', () => void heard.push('two'))
  for (let n = 0; n < 2; n++) source.emit('ready', undefined)
  own.tell('ready', undefined)
  expect(heard).toEqual(['one', 'two', 'two', 'two'])
})

test('tells the source of a listener that throws, unless it listens to errors', () => {
  const { source, own } = make()
  const errors: TransportEvents['error'][] = []
  source.on('error', (notice) => void errors.push(notice))
  own.on('error', () => {
    throw new Error('again')
  })
  own.on('ready', () => {
    throw new Error('mine')
  })
  own.on('ready', () => {
    throw 'a string'
  })
  source.emit('ready', undefined)
  expect(errors).toMatchObject([
    { kind: 'listener', error: { message: 'mine' } },
    { kind: 'listener', error: { message: 'a string' } },
  ])
})

test('closed, it hears nothing, and leaves no listener behind', () => {
  const { source, own } = make()
  const { signal } = new AbortController()
  const heard: unknown[] = []
  own.on('ready', () => void heard.push(1), { signal })
  own.close()
  {
    using late = own.on('ready', () => void heard.push(2), { signal })
    late()
  }
  source.emit('ready', undefined)
  expect(heard).toEqual([])
  expect([source.has('ready'), getEventListeners(signal, 'abort').length]).toEqual([false, 0])
})
