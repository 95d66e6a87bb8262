/** What is measured of one number of hosts in one way of serving them. */

/**
 * Plain HTTP; TLS with one certificate for all hosts; TLS with a certificate for each, in a filter chain of its own; and
 * fetched by Envoy when it is first needed (`tls.certificates: on-demand`).
 */
export const modes = ['http', 'wildcard', 'each', 'on-demand'] as const
export type Mode = (typeof modes)[number]

export const changes = ['add', 'change', 'endpoint', 'delete'] as const
export type Change = (typeof changes)[number]

/** Of one kind of change. */
export interface ChangeFigures {
  /** From the API server's answer to the first answer of the new kind through Envoy, each. */
  readonly latenciesMs: readonly number[]
  /** The request to the API server itself. */
  readonly requestsMs: readonly number[]
  /** Of each change, without what is used at rest: in one of many a collection of V8's takes its turn. */
  readonly serveCpuMs: readonly number[]
  /** Of its main thread. */
  readonly envoyCpuMs: readonly number[]
  readonly bytes: number
}

export interface StartFigures {
  /** From the start of both programs until serve says that it is ready. */
  readonly readyMs: number
  /** Until the hosts that were looked at answered, first to last. */
  readonly answeredMs: number
  /** Of Envoy then: of most hosts it has been asked for nothing yet. */
  readonly envoyMiB: number
  /** Hosts that were asked right after that, and those that did not answer with 200. */
  readonly asked: number
  readonly missed: number
}

export interface RestartFigures {
  /** Until the new process has the Envoy's stream. */
  readonly tookMs: number
  /** That it sent to an Envoy which has everything. */
  readonly bytes: number
  readonly requests: number
  readonly lost: number
}

export interface Memory {
  readonly serveMiB: number
  readonly servePeakMiB: number
  readonly envoyMiB: number
}

export interface Cell {
  readonly mode: Mode
  readonly size: number
  /** The larger of the two sizes that took turns in the run. */
  readonly beside: number
  /** To create all objects. */
  readonly fillMs: number
  /** No object has a status yet. */
  readonly firstStart: StartFigures
  readonly coldStarts: readonly StartFigures[]
  readonly restart: RestartFigures
  readonly changes: Readonly<Record<Change, ChangeFigures>>
  readonly memory: Memory
  /** How late the timers of the measuring process were at worst. */
  readonly lateMs: number
}
