/**
 * The main thread's side of the layer 2 worker: starts it, hands it what is desired, passes on what it observes,
 * and reports its end. A worker that dies, or leaves four pings of half a second unanswered, is fatal.
 */
import { Worker } from 'node:worker_threads'
// A native library that the worker alone had loaded would be unloaded with it, while its handles still close.
import '@landfall/net'
import type { ToBfd } from '../bfd/index.ts'
import { DesiredChanges } from './desired-changes.ts'
import { Layer2View } from './layer2-view.ts'
import type { Desired, FromWorker, Observation, ToWorker, WorkerOptions } from './messages.ts'

const pingMs = 500
/** Until it can answer: a node that starts many pods at once is slow. */
const startMs = 30_000
/** Pings, not a clock: a process that was frozen as a whole must not blame its worker when it wakes. */
const unansweredPings = 4
const stopMs = 1500

export interface WorkerEvents {
  readonly onMessage: (message: Observation) => void
  /** The worker is gone or hangs; the process has to end. `hung`: it cannot be terminated in the usual way. */
  readonly onFailure: (error: Error, hung: boolean) => void
}

export class Layer2Worker {
  readonly #worker: Worker
  readonly #events: WorkerEvents
  readonly #late: NodeJS.Timeout
  #pings: NodeJS.Timeout | undefined
  readonly #changes = new DesiredChanges()
  readonly #view = new Layer2View()
  #sent = 0
  #answered = 0
  readonly #left = Promise.withResolvers<number>()
  #stopped: (() => void) | undefined
  #ending = false

  constructor(options: WorkerOptions, events: WorkerEvents) {
    this.#events = events
    this.#worker = new Worker(workerUrl(), { workerData: options, name: 'layer2' })
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (error) => this.#fail(error, false))
    this.#worker.on('exit', (code) =>
      this.#fail(new Error(`the layer 2 worker ended with code ${code}`), false),
    )
    const late = new Error(`the layer 2 worker has not started within ${startMs / 1000} s`)
    this.#late = setTimeout(() => this.#fail(late, true), startMs).unref()
  }

  setDesired(desired: Desired): void {
    for (const part of this.#changes.next(desired)) this.#send({ kind: 'desired', part })
  }

  /** Spreads the addresses of all speakers anew, one a second, by hand-over. */
  rebalance(): void {
    this.#send({ kind: 'rebalance' })
  }

  /** Whether the API server has been away for a while: then others come first, where they have it. */
  setBlind(blind: boolean): void {
    this.#send({ kind: 'blind', blind })
  }

  /** The shared secret was replaced; of no effect when there was none at the start. */
  setSecret(secret: Uint8Array): void {
    this.#send({ kind: 'secret', secret })
  }

  /** To BFD, which runs in the same thread. */
  sendBfd(message: ToBfd): void {
    this.#send({ kind: 'bfd', message })
  }

  /**
   * Resolves when the addresses are handed over and the other speakers know it, in a second and a half at most.
   * This node answers no more; BFD goes on.
   * @returns how many addresses others took
   */
  async leave(): Promise<number> {
    if (this.#ending) return 0
    this.#send({ kind: 'leave' })
    return await Promise.race([this.#left.promise, limit(0)])
  }

  /** Resolves when all has ended, what is still held handed over before, in a second and a half at most. */
  async stop(): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    this.#endWatch()
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve
    })
    this.#send({ kind: 'stop' })
    await Promise.race([stopped, limit(undefined)])
    await this.#worker.terminate()
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message, [])
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'started') this.#started()
    else if (message.kind === 'pong') this.#answered = message.sequence
    else if (message.kind === 'left') this.#left.resolve(message.handedOver)
    else if (message.kind === 'stopped') this.#stopped?.()
    else if (message.kind === 'report')
      this.#events.onMessage({ kind: 'state', ...this.#view.apply(message.part, message.addresses) })
    else this.#events.onMessage(message)
  }

  #endWatch(): void {
    clearTimeout(this.#late)
    clearInterval(this.#pings)
  }

  #started(): void {
    clearTimeout(this.#late)
    if (!this.#ending) this.#pings = setInterval(() => this.#ping(), pingMs)
  }

  #ping(): void {
    if (this.#sent - this.#answered >= unansweredPings) {
      this.#fail(
        new Error(`the layer 2 worker has not answered for ${(unansweredPings * pingMs) / 1000} s`),
        true,
      )
      return
    }
    this.#send({ kind: 'ping', sequence: ++this.#sent })
  }

  #fail(error: Error, hung: boolean): void {
    if (this.#ending) return
    this.#ending = true
    this.#endWatch()
    this.#left.resolve(0)
    this.#events.onFailure(error, hung)
  }
}

function limit<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, stopMs, value).unref())
}

/** Sources run from this folder; bundles have the worker beside the programs and their shared code. */
function workerUrl(): URL {
  const here = import.meta.url
  return new URL(here.endsWith('.ts') ? './worker.ts' : './speaker-worker.mjs', here)
}
