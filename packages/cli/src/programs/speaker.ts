/** `speaker`: announces addresses. Flags and environment are those of MetalLB's speaker in native mode. */
import { existsSync } from 'node:fs'
import type { SpeakerOptions } from '@landfall/speaker'
import type { Logger, LogLevel } from '@landfall/telemetry'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  addAll,
  booleanFlag,
  given,
  kubeconfigFlag,
  loggerOf,
  logLevelFlag,
  parseSeconds,
  portFlag,
  stopSignal,
  wholeNumber,
} from '../flags.ts'
import {
  type Ignored,
  ignoredByBoth,
  ignoredOptions,
  isLegacy,
  metricsOf,
  type ServingFlags,
  sayBgpType,
  sayIgnored,
  servingFlags,
} from '../metallb-flags.ts'
import { readVersion } from '../version.ts'

interface Timing {
  readonly intervalMs: number
  readonly misses: number
}

interface Flags extends ServingFlags {
  readonly kubeconfig?: string
  readonly logLevel: LogLevel
  readonly healthProbePort: number
  readonly nodeName?: string
  readonly podName: string
  readonly namespace: string
  readonly config: string
  readonly configNs: string
  readonly lbClass: string
  readonly ignoreExcludeLb: boolean
  readonly drainOnCordon: boolean
  readonly mlBindaddr: string
  readonly mlBindport: number
  readonly mlLabels: string
  readonly mlSecretKeyPath: string
  readonly mlSecretKey: string
  readonly heartbeat?: Timing
  readonly layer2Partition: 'serve' | 'fence'
  readonly layer2PreferAfter?: number
  readonly layer2Rebalance: number
  readonly excludeFile: string
  readonly bgpDrainWait: number
  readonly bgpListen: boolean
  readonly refresh: number
}

const noFrr = 'there is no FRR: sessions are those of this program'

export const ignoredBySpeaker: readonly Ignored[] = [
  ...ignoredByBoth,
  { flag: 'host', variable: 'METALLB_HOST', why: 'the node is known by its name' },
  { flag: 'node-ip', variable: 'METALLB_NODE_IP', why: 'the node is known by its name' },
  // Of v0.9 to v0.12.
  {
    flag: 'ml-namespace',
    variable: 'METALLB_ML_NAMESPACE',
    why: 'speakers are looked for in the own namespace',
  },
  { flag: 'ml-wan-config', boolean: true, why: 'heartbeats have a pace of their own, see --heartbeat' },
  {
    flag: 'bgp-debounce-timeout',
    variable: 'METALLB_BGP_DEBOUNCE_TIMEOUT',
    why: 'changes reach the peers at once, without a reload',
  },
  { flag: 'frrk8s-namespace', variable: 'FRRK8S_NAMESPACE', why: noFrr },
  { flag: 'frrk8s-secret-passthrough', boolean: true, why: noFrr },
  { flag: '', variable: 'FRR_CONFIG_FILE', why: noFrr },
  { flag: '', variable: 'FRR_RELOADER_PID_FILE', why: noFrr },
  { flag: '', variable: 'FRR_LOGGING_LEVEL', why: noFrr },
]

const memberlistFile = '/etc/metallb/memberlist/config.json'

export function speakerCommand(): Command {
  const command = new Command('speaker').description('announce addresses by ARP, NDP and BGP')
  addAll(
    command,
    kubeconfigFlag(),
    logLevelFlag(),
    ...servingFlags(),
    portFlag('health-probe-port', 'port of /healthz and /readyz on loopback', 17472),
    new Option('--node-name <name>', 'Node that this speaker speaks for').env('METALLB_NODE_NAME'),
    new Option('--pod-name <name>', 'own pod').env('METALLB_POD_NAME').default(''),
    new Option('--namespace <name>', "where the metallb.io objects are; the credentials' own unless given")
      .env('METALLB_NAMESPACE')
      .default(''),
    new Option('--config <name>', 'ConfigMap that rules where there is no IPAddressPool').default('config'),
    new Option('--config-ns <name>', 'the namespace, as it was called before v0.13').default(''),
    new Option(
      '--lb-class <class>',
      'only Services of this loadBalancerClass; only those without one unless given',
    ).default(''),
    booleanFlag('ignore-exclude-lb', 'announce from nodes labelled exclude-from-external-load-balancers too'),
    booleanFlag('drain-on-cordon', 'a cordoned node announces only what no other node can'),
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
    new Option('--ml-secret-key <key>', 'the key itself, as from v0.9 to v0.13; the folder goes before it')
      .env('METALLB_ML_SECRET_KEY')
      .default(''),
    new Option('--heartbeat <ms>x<misses>', 'pace of heartbeats; 100x6 unless the CPU is limited').argParser(
      parseTiming,
    ),
    new Option(
      '--layer2-partition <policy>',
      'a side of a partition without the majority of the nodes serves on, or falls silent: fence',
    )
      .choices(['serve', 'fence'])
      .default('serve'),
    new Option(
      '--layer2-prefer-after <duration>',
      'a node that an L2Advertisement prefers takes over that long after it joined; never unless given',
    ).argParser(parseSeconds),
    new Option(
      '--layer2-rebalance <duration>',
      'spread addresses anew that often, like 10m, one a second, by hand-over; 0 for never',
    )
      .argParser(parseSeconds)
      .default(0),
    new Option(
      '--bgp-drain-wait <ms>',
      'how long BGP peers are told that routes are about to go before a stop withdraws them',
    )
      .argParser(wholeNumber(0))
      .default(1000),
    booleanFlag('bgp-listen', 'take the connections of BGP peers, on port 179'),
    new Option('--exclude-file <file>', 'interfaces that never announce').default(
      '/etc/metallb/excludel2.yaml',
    ),
    new Option('--refresh <seconds>', 'between unasked announcements, 0 for none')
      .argParser(wholeNumber(0))
      .default(60),
    ...ignoredOptions(ignoredBySpeaker),
  )
  return command.action(async () => {
    const options = speakerOptions(command)
    const { runSpeaker } = await import('@landfall/speaker')
    sayIgnored(command, ignoredBySpeaker, options.logger)
    sayMemberlist(options.logger)
    sayBgpType(options.logger)
    await runSpeaker({ ...options, signal: stopSignal() })
  })
}

function sayMemberlist(logger: Logger): void {
  if (!existsSync(memberlistFile)) return
  const message = `${memberlistFile} has no effect: heartbeats have a pace of their own, see --heartbeat`
  logger.info('flagWithoutEffect', { flag: memberlistFile }, message)
}

/** What was parsed from the command line and the environment, as options. */
export function speakerOptions(command: Command): Omit<SpeakerOptions, 'signal'> {
  const flags: Flags = command.opts()
  return {
    logger: loggerOf(flags.logLevel, command),
    version: readVersion(),
    ...given('kubeconfig', flags.kubeconfig),
    node: flags.nodeName ?? command.error('error: give --node-name or METALLB_NODE_NAME'),
    podName: flags.podName,
    namespace: flags.namespace || flags.configNs,
    configMap: flags.config,
    loadBalancerClass: flags.lbClass,
    ignoreExcludeLabel: flags.ignoreExcludeLb,
    drainOnCordon: flags.drainOnCordon,
    heartbeat: {
      bindAddress: flags.mlBindaddr,
      port: flags.mlBindport,
      labels: flags.mlLabels,
      secretPath: flags.mlSecretKeyPath,
      secretKey: flags.mlSecretKey,
      timing: flags.heartbeat,
    },
    layer2: {
      partition: flags.layer2Partition,
      preferAfterMs: flags.layer2PreferAfter === undefined ? undefined : flags.layer2PreferAfter * 1000,
      rebalanceMs: flags.layer2Rebalance * 1000,
    },
    bgp: { drainMs: flags.bgpDrainWait, listenPort: flags.bgpListen ? 179 : undefined },
    excludeFile: flags.excludeFile,
    refreshSeconds: flags.refresh,
    metrics: metricsOf(flags, isLegacy(command)),
    health: { address: '127.0.0.1', port: flags.healthProbePort },
  }
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
