/** A real Prometheus in the control plane's network of a lab, and what it answers. It ends with the lab at the latest. */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { inNetns } from '../lab/host/netns.ts'
import { labMark } from '../lab/host/process-table.ts'
import { type Lab, silentProgress } from '../lab/index.ts'
import { monitoringCatalogue } from '../lab/parts/catalogue.ts'
import { resolveParts } from '../lab/parts/resolve.ts'
import { labPaths } from '../lab/state/lab-state.ts'
import { labPrefix } from '../lab/topology/topology.ts'
import { type PrometheusRule, prometheusConfig, ruleGroups, type Settings } from './scrape-config.ts'

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

interface TargetState {
  readonly labels: Readonly<Record<string, string>>
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
}

interface AlertState {
  readonly state: 'firing' | 'pending'
  readonly labels: Readonly<Record<string, string>>
}

export interface Prometheus {
  targets(): Promise<readonly TargetState[]>
  alerts(): Promise<readonly AlertState[]>
  metricNames(): Promise<readonly string[]>
  /** @throws with what Prometheus says is wrong with the expression */
  query(expr: string): Promise<readonly Series[]>
  stop(): Promise<void>
}

const listen = '127.0.0.1:9090'

/** Builds the program when there is none, which takes minutes. */
export async function startPrometheus(
  lab: Lab,
  monitors: Settings['monitors'],
  rules: readonly PrometheusRule[],
): Promise<Prometheus> {
  const { prometheus } = await resolveParts(silentProgress, monitoringCatalogue)
  const paths = labPaths(lab.id)
  const folder = join(paths.root, 'prometheus')
  mkdirSync(folder, { recursive: true })
  const [config, ruleFile] = [join(folder, 'prometheus.yml'), join(folder, 'rules.yml')]
  const { kubeconfig } = paths
  writeFileSync(ruleFile, stringify(ruleGroups(rules)))
  writeFileSync(config, stringify(prometheusConfig({ monitors, kubeconfig, ruleFile, interval: '1s' })))
  const argv = inNetns(lab.controlPlane.host.netns, [
    prometheus,
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${listen}`,
  ])
  const [program = '', ...args] = argv
  const log = openSync(join(paths.logs, 'prometheus.log'), 'a')
  const env = { PATH: process.env['PATH'] ?? '', [labMark]: labPrefix(lab.id) }
  const child = spawn(program, args, { stdio: ['ignore', log, log], env })
  const ended = new Promise<void>((resolve) => void child.once('exit', () => resolve()))
  const api = <T>(path: string, body?: string) => ask<T>(lab, path, body)
  await lab.waitFor('Prometheus to be ready', async () => {
    const { code } = await lab.controlPlane.tryRun([lab.parts.curl, '-sf', `http://${listen}/-/ready`])
    return code === 0
  })
  return {
    targets: async () =>
      (await api<{ readonly activeTargets: readonly TargetState[] }>('targets?state=active')).activeTargets,
    alerts: async () => (await api<{ readonly alerts: readonly AlertState[] }>('alerts')).alerts,
    metricNames: () => api<readonly string[]>('label/__name__/values'),
    query: async (expr) =>
      (await api<{ readonly result: readonly Series[] }>('query', `query=${encodeURIComponent(expr)}`))
        .result,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

type Answer<T> =
  | { readonly status: 'success'; readonly data: T }
  | { readonly status: 'error'; readonly error: string }

async function ask<T>(lab: Lab, path: string, body?: string): Promise<T> {
  const form = body === undefined ? [] : ['--data', body]
  const { stdout } = await lab.controlPlane.tryRun([
    lab.parts.curl,
    '-s',
    ...form,
    `http://${listen}/api/v1/${path}`,
  ])
  const answer: Answer<T> = JSON.parse(stdout)
  if (answer.status === 'error') throw new Error(`${body ?? path}: ${answer.error}`)
  return answer.data
}
