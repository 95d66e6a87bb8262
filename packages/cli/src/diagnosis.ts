/** What `status` and `trace` share: where they look, how they answer, and what their exit codes mean. */
import type { ClusterView, Paint } from '@landfall/diagnosis'
import { type Cluster, openCluster } from '@landfall/kube'
import { describeError } from '@landfall/telemetry'
import { type Command, Option } from 'commander'
import { addAll, given, kubeconfigFlag, loggerOf } from './flags.ts'
import { readServeArguments } from './serve-arguments.ts'
import { readVersion } from './version.ts'

export interface DiagnosisFlags {
  readonly kubeconfig?: string
  readonly namespace: string
  readonly ingressNamespace: string
  readonly envoyService?: string
  readonly output: 'table' | 'json'
  readonly live?: boolean
}

/** A wrong command line, or a cluster that cannot be asked, is neither good nor bad. */
const cannotTell = 2

export function diagnosisCommand(command: Command): Command {
  addAll(
    command,
    kubeconfigFlag(),
    new Option('--namespace <name>', 'of controller, speakers and metallb.io objects').default(
      'metallb-system',
    ),
    new Option('--ingress-namespace <name>', 'of contour and Envoy').default('projectcontour'),
    new Option(
      '--envoy-service <namespace/name>',
      'Service in front of Envoy; unless given, the one that contour is told',
    ),
    new Option('-o, --output <form>', 'form of the answer').choices(['table', 'json']).default('table'),
  )
  return command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : cannotTell))
}

export function openForDiagnosis({ kubeconfig }: DiagnosisFlags, name: string): Promise<Cluster> {
  const userAgent = `landfall-${name}/${readVersion()}`
  return openCluster({ ...given('kubeconfig', kubeconfig), logger: loggerOf('none'), userAgent })
}

/** @throws when nothing can be read at all */
export async function readView(cluster: Cluster, flags: DiagnosisFlags): Promise<ClusterView> {
  const { observe, podsOf, readEnvoys, readLists, readSpeakers, servingOf, withSpeakers } = await import(
    '@landfall/diagnosis'
  )
  const places = { system: flags.namespace, ingress: flags.ingressNamespace }
  const lists = await readLists(cluster, places)
  const objects = observe(lists, places)
  const serving = servingOf(lists, objects, readServeArguments, flags.envoyService)
  if (flags.live === false) return { observed: withSpeakers(objects, new Map()), serving, envoys: new Map() }
  const { stats, metrics, metricsTls } = serving.options.listeners
  const { port } = metrics ?? stats
  const [speakers, envoys] = await Promise.all([
    readSpeakers(cluster, objects),
    readEnvoys(cluster, podsOf(objects, 'envoy'), port, metricsTls !== undefined),
  ])
  return { observed: withSpeakers(objects, speakers), serving, envoys }
}

/** What kept it from looking is one line on standard error. */
export async function unlessNoAccess(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    process.stderr.write(`the cluster cannot be read: ${describeError(error)}\n`)
    process.exitCode = cannotTell
  }
}

export async function painterFor(stream: NodeJS.WriteStream): Promise<Paint> {
  const { coloured, plain } = await import('@landfall/diagnosis')
  return stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' ? coloured : plain
}

export function jsonText(value: object, indented: boolean): string {
  return `${JSON.stringify(value, undefined, indented ? 2 : undefined)}\n`
}
