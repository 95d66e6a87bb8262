/** `controller`: assigns addresses. Flags and environment are those of MetalLB's controller. */
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControllerOptions, WebhookOptions } from '@landfall/lb'
import type { LogLevel } from '@landfall/telemetry'
import { Command, Option } from 'commander'
import {
  addAll,
  booleanFlag,
  given,
  kubeconfigFlag,
  loggerOf,
  logLevelFlag,
  parseMilliseconds,
  portFlag,
  stopSignal,
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
  tlsOf,
} from '../metallb-flags.ts'
import { readVersion } from '../version.ts'

interface Flags extends ServingFlags {
  readonly kubeconfig?: string
  readonly logLevel: LogLevel
  readonly healthProbePort: number
  readonly namespace: string
  readonly config: string
  readonly configNs: string
  readonly podName: string
  readonly lbClass: string
  readonly mlSecretName: string
  readonly deployment: string
  readonly poolRemovalGrace: number
  readonly webhookMode: 'enabled' | 'disabled' | 'onlywebhook'
  readonly webhookSecret: string
  readonly certServiceName: string
  readonly certDir: string
  readonly disableCertRotation: boolean
}

const webhookPort = 9443

export const ignoredByController: readonly Ignored[] = [
  ...ignoredByBoth,
  {
    flag: 'webhook-http2',
    boolean: true,
    why: 'webhooks are answered over HTTP/1.1, which every API server speaks',
  },
]

export function controllerCommand(): Command {
  const command = new Command('controller').description('give LoadBalancer Services addresses from pools')
  addAll(
    command,
    kubeconfigFlag(),
    logLevelFlag(),
    ...servingFlags(),
    portFlag('health-probe-port', 'port of /healthz and /readyz', 17472),
    new Option('--namespace <name>', "where the metallb.io objects are; the credentials' own unless given")
      .env('METALLB_NAMESPACE')
      .default(''),
    new Option('--config <name>', 'ConfigMap that rules where there is no IPAddressPool').default('config'),
    new Option('--config-ns <name>', 'the namespace, as it was called before v0.13').default(''),
    new Option('--ml-secret-name <name>', "Secret of the speakers' heartbeats, made when it is missing")
      .env('METALLB_ML_SECRET_NAME')
      .default(''),
    new Option('--deployment <name>', 'the own Deployment, with which that Secret goes')
      .env('METALLB_DEPLOYMENT')
      .default(''),
    new Option('--pod-name <name>', 'tells this replica from others')
      .env('METALLB_POD_NAME')
      .default(hostname()),
    new Option(
      '--lb-class <class>',
      'only Services of this loadBalancerClass; only those without one unless given',
    ).default(''),
    new Option(
      '--pool-removal-grace <duration>',
      'how long an address outlives its pool, as 30s; 0 for not at all',
    )
      .argParser(parseMilliseconds)
      .default(30_000, '30s'),
    ...webhookFlags(),
    ...ignoredOptions(ignoredByController),
  )
  return command.action(async (flags: Flags) => {
    const { runController } = await import('@landfall/lb')
    const options = controllerOptions(command, flags)
    sayIgnored(command, ignoredByController, options.logger)
    sayBgpType(options.logger)
    await runController({ ...options, signal: stopSignal() })
  })
}

function webhookFlags(): readonly Option[] {
  return [
    new Option('--webhook-mode <mode>', "whether MetalLB's webhooks are answered while they are registered")
      .choices(['enabled', 'disabled', 'onlywebhook'])
      .default('enabled'),
    new Option('--webhook-secret <name>', 'Secret of their certificate').default('metallb-webhook-cert'),
    new Option('--cert-service-name <name>', 'Service by which they are called').default(
      'metallb-webhook-service',
    ),
    booleanFlag('disable-cert-rotation', 'their certificate is that of --cert-dir, and nobody renews it'),
    new Option('--cert-dir <folder>', 'tls.crt and tls.key, with --disable-cert-rotation').default(
      join(tmpdir(), 'k8s-webhook-server', 'serving-certs'),
    ),
  ]
}

/** What was parsed from the command line and the environment, as options. */
export function controllerOptions(
  command: Command,
  flags: Flags = command.opts(),
): Omit<ControllerOptions, 'signal'> {
  return {
    logger: loggerOf(flags.logLevel, command),
    version: readVersion(),
    ...given('kubeconfig', flags.kubeconfig),
    namespace: flags.namespace || flags.configNs,
    configMap: flags.config,
    loadBalancerClass: flags.lbClass,
    poolRemovalGraceMs: flags.poolRemovalGrace,
    memberlistSecret: flags.mlSecretName,
    deployment: flags.deployment,
    identity: flags.podName,
    metrics: metricsOf(flags, isLegacy(command)),
    health: { address: '::', port: flags.healthProbePort },
    webhooks: isLegacy(command) ? undefined : webhookOptions(flags),
    allocates: flags.webhookMode !== 'onlywebhook',
  }
}

function webhookOptions(flags: Flags): WebhookOptions | undefined {
  if (flags.webhookMode === 'disabled') return undefined
  return {
    address: '::',
    port: webhookPort,
    serviceName: flags.certServiceName,
    secretName: flags.webhookSecret,
    certificateFolder: flags.disableCertRotation ? flags.certDir : undefined,
    tls: tlsOf(flags),
  }
}
