/** `controller`: assigns addresses. Flags and environment are those of MetalLB's controller. */
import { hostname } from 'node:os'
import { parseGoDuration } from '@landfall/metallb'
import { defaultTls, type LogLevel } from '@landfall/telemetry'
import { Command, InvalidArgumentError, Option } from 'commander'
import { addAll, given, kubeconfigFlag, loggerOf, logLevelFlag, portFlag, stopSignal } from '../flags.ts'
import { readVersion } from '../version.ts'

interface Flags {
  readonly kubeconfig?: string
  readonly logLevel: LogLevel
  readonly port: number
  readonly healthProbePort: number
  readonly namespace: string
  readonly config: string
  readonly podName: string
  readonly lbClass: string
  readonly mlSecretName: string
  readonly poolRemovalGrace: number
}

export function controllerCommand(): Command {
  const command = new Command('controller').description('give LoadBalancer Services addresses from pools')
  addAll(
    command,
    kubeconfigFlag(),
    logLevelFlag(),
    portFlag('port', 'port of /metrics; 0 for none', 7472),
    portFlag('health-probe-port', 'port of /healthz and /readyz', 17472),
    new Option('--namespace <name>', "where the metallb.io objects are; the credentials' own unless given")
      .env('METALLB_NAMESPACE')
      .default(''),
    new Option('--config <name>', 'ConfigMap that rules where there is no IPAddressPool').default('config'),
    new Option('--ml-secret-name <name>', "Secret of the speakers' heartbeats, made when it is missing")
      .env('METALLB_ML_SECRET_NAME')
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
  )
  return command.action(async (flags: Flags) => {
    const { runController } = await import('@landfall/lb')
    await runController({
      logger: loggerOf(flags.logLevel),
      version: readVersion(),
      signal: stopSignal(),
      ...given('kubeconfig', flags.kubeconfig),
      namespace: flags.namespace,
      configMap: flags.config,
      loadBalancerClass: flags.lbClass,
      poolRemovalGraceMs: flags.poolRemovalGrace,
      memberlistSecret: flags.mlSecretName,
      identity: flags.podName,
      metrics: { address: '::', port: flags.port },
      health: { address: '::', port: flags.healthProbePort },
      webhooks: {
        address: '::',
        port: 9443,
        serviceName: 'metallb-webhook-service',
        secretName: 'metallb-webhook-cert',
        certificateFolder: undefined,
        tls: defaultTls,
      },
      allocates: true,
    })
  })
}

function parseMilliseconds(text: string): number {
  const seconds = parseGoDuration(text)
  if (seconds === undefined || seconds < 0) throw new InvalidArgumentError('must be a duration such as 30s.')
  return Math.round(seconds * 1000)
}
