/**
 * Keeps the program's settings and its configuration together: what is read anew and may change is taken over, what may
 * not is named until the next start, and what has problems leaves all as it is. A ContourConfiguration says so in its
 * conditions; the leader writes them.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ContourConfiguration, ContourConfigurationStatus } from '@landfall/api'
import { type Cluster, StatusWriter } from '@landfall/kube'
import { describeError, type Gauge, type Logger, type Metrics } from '@landfall/telemetry'
import {
  describeProblem,
  differing,
  needRestart,
  pathOf,
  togetherProblems,
  withFlags,
} from '../configuration/read.ts'
import type { SettingName, Settings } from '../configuration/settings.ts'
import type { ConfigurationSource } from '../options.ts'
import { type ConfigurationVerdict, configurationStatus } from '../status/configuration-status.ts'
import { noFacts, type SharedFacts } from '../status/shared-state.ts'
import { contourConfigurationType, type Observed } from './load.ts'

export interface ConfigurationKeeperOptions {
  readonly source: ConfigurationSource
  readonly cluster: Cluster
  readonly logger: Logger
  readonly metrics: Metrics
  readonly flags: Settings
  /** Those that the program was started with. */
  readonly started: Settings
  readonly isLeader: () => boolean
  /** Told the settings that now hold. */
  readonly onChange: (settings: Settings) => void
}

export function configurationMetrics(metrics: Metrics): { readonly valid: Gauge; readonly waiting: Gauge } {
  return {
    valid: metrics.gauge('landfall_configuration_valid', '1: the configuration as it stands is in use.'),
    waiting: metrics.gauge(
      'landfall_configuration_restart_needed',
      'Settings that hold only after a restart.',
    ),
  }
}

export class ConfigurationKeeper {
  readonly #options: ConfigurationKeeperOptions
  readonly #writer: StatusWriter
  readonly #valid
  readonly #waiting
  #settings: Settings
  #object: ContourConfiguration | undefined
  #verdict: ConfigurationVerdict = { problems: [], needRestart: [] }
  #facts: SharedFacts = noFacts
  #said = ''
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ConfigurationKeeperOptions) {
    const { metrics } = options
    this.#options = options
    this.#settings = options.started
    this.#writer = new StatusWriter(options.cluster, options.logger)
    const { valid, waiting } = configurationMetrics(metrics)
    this.#valid = valid
    this.#waiting = waiting
    this.#valid.set(1)
  }

  take({ settings, problems: own, object }: Observed): void {
    const { source, flags, started, logger, onChange } = this.#options
    const from = source.kind === 'object' ? 'object' : 'file'
    const wanted = withFlags(settings, flags, from)
    const problems = own.length > 0 ? own : togetherProblems(wanted, from)
    const waiting = problems.length > 0 ? [] : needRestart(started, wanted)
    const paths = waiting.map((name) => this.#path(name))
    this.#object = object
    this.#verdict = { problems: problems.map(describeProblem), needRestart: paths }
    this.#valid.set(problems.length > 0 ? 0 : 1)
    this.#waiting.set(waiting.length)
    const said = JSON.stringify(this.#verdict)
    if (said !== this.#said) {
      if (problems.length > 0) logger.warn('configurationRefused', { problems: this.#verdict.problems })
      if (paths.length > 0) logger.warn('configurationNeedsRestart', { paths })
    }
    this.#said = said
    this.writeStatus()
    if (problems.length > 0) return
    const next = held(wanted, started, waiting)
    const changed = differing(this.#settings, next)
    if (changed.length === 0) return
    this.#settings = next
    logger.info('configurationChanged', { paths: changed.map((name) => this.#path(name)) })
    onChange(next)
  }

  /** What is to be said of the configuration that holds. */
  tell(facts: SharedFacts): void {
    this.#facts = facts
    this.writeStatus()
  }

  /** The object's conditions, if there is one and this is the leader. */
  writeStatus(): void {
    const { isLeader, logger } = this.#options
    const object = this.#object
    if (object === undefined || !isLeader()) return
    const { namespace, name, generation } = object.meta
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const verdict = { ...this.#verdict, facts: this.#facts }
    const wanted = (current: ContourConfigurationStatus | undefined) =>
      configurationStatus(current, verdict, generation, now)
    if (isDeepStrictEqual(wanted(object.status), object.status)) return
    this.#last = this.#last.then(() =>
      this.#writer
        .write(
          contourConfigurationType,
          `${namespace}/${name}`,
          (raw) => ({ ...raw, status: wanted(raw['status'] as ContourConfigurationStatus | undefined) }),
          { precondition: isLeader },
        )
        .catch((error: unknown) =>
          logger.warn('configurationStatusFailed', { namespace, name, problem: describeError(error) }),
        ),
    )
  }

  /** Resolves when what was to be written is. */
  stop(): Promise<unknown> {
    return this.#last
  }

  #path(name: SettingName): string {
    return pathOf(name, this.#options.source.kind === 'object' ? 'object' : 'file')
  }
}

/** The settings with those that wait for a restart as they were. */
function held(wanted: Settings, started: Settings, waiting: readonly SettingName[]): Settings {
  const kept = waiting.map((name) => [name, started[name]] as const)
  return { ...wanted, ...Object.fromEntries(kept) }
}
