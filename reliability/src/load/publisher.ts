/** A publisher: publishes its events in order, with a bounded number under way, and enters each outcome in the ledger. */
import { outcomeOf, type Bus } from '@bus/core'
import type { Ledger } from '../oracle/ledger.ts'
import { payloadOf } from './payload.ts'

/** Publishes without an outcome, at most. */
const MAX_IN_FLIGHT = 1_024

export interface PublisherOptions {
  readonly bus: Bus
  /** Which one it is, from 0. */
  readonly index: number
  readonly seed: number
  readonly ledger: Ledger
  /** Something was settled. */
  readonly onSettled: () => void
  /** Whether it must wait for something outside. */
  readonly mustWait: () => boolean
  /** The type of an event. @default `load.<index>` */
  readonly typeOf?: (n: number) => string
}

/** Publishes once. */
export class Publisher {
  readonly #options: PublisherOptions
  #inFlight = 0
  #wake: (() => void) | undefined
  #isStopped = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Resolves when the last publish is under way. */
  async run(): Promise<void> {
    const { ledger } = this.#options
    for (let n = 0; n < ledger.events; n++) {
      while (this.#mustWait()) await new Promise<void>((resolve) => (this.#wake = resolve))
      if (this.#isStopped) return
      this.#publish(n)
    }
  }

  /** Publishes that have no outcome yet. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** What it waits for may have changed. */
  look(): void {
    if (this.#inFlight > MAX_IN_FLIGHT / 2 && !this.#isStopped) return
    this.#wake?.()
    this.#wake = undefined
  }

  stop(): void {
    this.#isStopped = true
    this.look()
  }

  #mustWait(): boolean {
    if (this.#isStopped) return false
    return this.#inFlight >= MAX_IN_FLIGHT || this.#options.mustWait()
  }

  #publish(n: number): void {
    const { bus, index, seed, ledger, typeOf } = this.#options
    this.#inFlight++
    bus.publish(typeOf?.(n) ?? `load.${index}`, payloadOf(seed, index, n)).then(
      ({ status, attempts }) => {
        ledger.resends += attempts - 1
        // Without a confirmation its outcome is unknown.
        ledger.settle(index, n, status === 'confirmed' ? 'confirmed' : 'unknown')
        this.#settled()
      },
      (error: unknown) => {
        ledger.note(String(error))
        ledger.settle(index, n, outcomeOf(error))
        this.#settled()
      },
    )
  }

  #settled(): void {
    this.#inFlight--
    this.#options.onSettled()
    this.look()
  }
}
