/** `speaker`: announces addresses. Flags and environment are those of MetalLB's speaker in native mode. */
import type { LogLevel } from '@landfall/telemetry'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  addAll,
  booleanFlag,
  given,
  kubeconfigFlag,
  loggerOf,
  logLevelFlag,
  portFlag,
  stopSignal,
  wholeNumber,
} from '../flags.ts'
import { readVersion } from '../version.ts'

interface Timing {
  readonly intervalMs: number
  readonly misses: number
}

interface Flags {
  readonly kubeconfig?: string
  readonly logLevel: LogLevel
  readonly port: number
  readonly healthProbePort: number
  readonly nodeName?: string
  readonly podName: string
  readonly namespace: string
  readonly config: string
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  readonly mlBindaddr: string
  readonly mlBindport: number
  readonly mlLabels: string
  readonly mlSecretKeyPath: string
  readonly heartbeat?: Timing
  readonly excludeFile: string
  readonly refresh: number
}

export function speakerCommand(): Command {
  const command = new Command('speaker').description('announce addresses by ARP, NDP and BGP')
  addAll(
    command,
    kubeconfigFlag(),
    logLevelFlag(),
    portFlag('port', 'port of /metrics, /healthz and /readyz; 0 for none', 7472),
    portFlag('health-probe-port', 'port of /healthz and /readyz on loopback', 17472),
    new Option('--node-name <name>', 'Node that this speaker speaks for').env('METALLB_NODE_NAME'),
    new Option('--pod-name <name>', 'own pod').env('METALLB_POD_NAME').default(''),
    new Option('--namespace <name>', "where the metallb.io objects are; the credentials' own unless given")
      .env('METALLB_NAMESPACE')
      .default(''),
    new Option('--config <name>', 'ConfigMap that rules where there is no IPAddressPool').default('config'),
    new Option(
      '--lb-class <class>',
      'only Services of this loadBalancerClass; only those without one unless given',
    ).default(''),
    booleanFlag('ignore-exclude-lb', 'announce from nodes labelled exclude-from-external-load-balancers too'),
    new Option('--ml-bindaddr <address>', 'node address for heartbeats')
      .env('METALLB_ML_BIND_ADDR')
      .default(''),
    portFlag('ml-bindport', 'UDP port of heartbeats', 7946).env('METALLB_ML_BIND_PORT'),
    new Option('--ml-labels <selector>', 'labels of the speaker pods')
      .env('METALLB_ML_LABELS')
      .default('app=metallb,component=speaker'),
    new Option('--ml-secret-key-path <folder>', 'folder of the key that authenticates heartbeats')
      .env('METALLB_ML_SECRET_KEY_PATH')
      .default(''),
    new Option('--heartbeat <ms>x<misses>', 'pace of heartbeats; 100x6 unless the CPU is limited').argParser(
      parseTiming,
    ),
    new Option('--exclude-file <file>', 'interfaces that never announce').default(
      '/etc/metallb/excludel2.yaml',
    ),
    new Option('--refresh <seconds>', 'between unasked announcements, 0 for none')
      .argParser(wholeNumber(0))
      .default(60),
  )
  return command.action((flags: Flags) => speak(command, flags))
}

async function speak(command: Command, flags: Flags): Promise<void> {
  const node = flags.nodeName ?? command.error('error: give --node-name or METALLB_NODE_NAME')
  const { runSpeaker } = await import('@landfall/speaker')
  await runSpeaker({
    logger: loggerOf(flags.logLevel),
    version: readVersion(),
    signal: stopSignal(),
    ...given('kubeconfig', flags.kubeconfig),
    node,
    podName: flags.podName,
    namespace: flags.namespace,
    configMap: flags.config,
    loadBalancerClass: flags.lbClass,
    ignoreExcludeLabel: flags.ignoreExcludeLb,
    heartbeat: {
      bindAddress: flags.mlBindaddr,
      port: flags.mlBindport,
      labels: flags.mlLabels,
      secretPath: flags.mlSecretKeyPath,
      timing: flags.heartbeat,
    },
    excludeFile: flags.excludeFile,
    refreshSeconds: flags.refresh,
    metrics: { address: '::', port: flags.port },
    health: { address: '127.0.0.1', port: flags.healthProbePort },
  })
}

/** `100x6`: a heartbeat each 100 ms, and six missed ones mean death. */
function parseTiming(text: string): Timing {
  const [, interval, misses] = /^(\d+)x(\d+)$/.exec(text) ?? []
  const timing = { intervalMs: Number(interval), misses: Number(misses) }
  if (!(timing.intervalMs >= 20 && timing.misses >= 2)) {
    throw new InvalidArgumentError('must be like 100x6: at least 20 ms and 2 misses.')
  }
  return timing
}
