/** `serve`: the control plane of Envoy. The flags are those of `contour serve`. */
import { hostname } from 'node:os'
import { parseGoDuration } from '@landfall/api'
import type { ConfigurationSource, Settings } from '@landfall/ingress'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  addAll,
  booleanFlag,
  insistOnPod,
  kubeconfigFlag,
  loggerOf,
  portFlag,
  stopSignal,
  wholeNumber,
} from '../flags.ts'
import { readVersion } from '../version.ts'

/** A flag that says the same as a setting; what is not given is left to the configuration. */
interface SettingFlag {
  readonly option: Option
  readonly setting: keyof Settings
}

interface Flags {
  readonly configPath?: string
  readonly contourConfigName?: string
  readonly disableLeaderElection: boolean
  readonly leaderElectionResourceName: string
  readonly leaderElectionResourceNamespace?: string
  readonly leaderElectionLeaseDuration: number
  readonly leaderElectionRenewDeadline: number
  readonly leaderElectionRetryPeriod: number
  readonly disableFeature: readonly string[]
}

export function serveCommand(): Command {
  const command = new Command('serve').description('program Envoy from Ingress and HTTPProxy objects')
  const settings = settingFlags()
  addAll(command, ...configurationFlags(), ...settings.map(({ option }) => option), ...otherFlags())
  return command.action((flags: Flags) => serve(command, flags, settings))
}

function configurationFlags(): readonly Option[] {
  return [
    new Option('-c, --config-path <file>', 'contour.yaml; a flag that is given goes before what it says'),
    new Option(
      '--contour-config-name <name>',
      'ContourConfiguration in the namespace of the program; it goes before flags',
    ).conflicts('configPath'),
  ]
}

export function settingFlags(): readonly SettingFlag[] {
  return [...programFlags(), ...xdsFlags(), ...envoyFlags(), ...statusFlags()]
}

function programFlags(): readonly SettingFlag[] {
  return [
    of('incluster', booleanFlag('incluster', "use the pod's own credentials")),
    of('kubeconfig', kubeconfigFlag()),
    of(
      'kubernetesQps',
      new Option('--kubernetes-client-qps <n>', 'most requests a second to the API server').argParser(
        orZero(positiveNumber),
      ),
    ),
    of(
      'kubernetesBurst',
      new Option('--kubernetes-client-burst <n>', 'most requests at once, above that rate').argParser(
        orZero(wholeNumber(1)),
      ),
    ),
    of(
      'kubernetesDebug',
      new Option('--kubernetes-debug <level>', 'above 0: log each request to the API server')
        .argParser(wholeNumber(0))
        .default(0),
    ),
    of('debug', new Option('-d, --debug', 'log more').default(false)),
    address('metricsAddress', 'http-address', 'address of /metrics', '::'),
    of('metricsPort', portFlag('http-port', 'port of /metrics', 8000)),
    address('healthAddress', 'health-address', 'address of /healthz and /readyz', '::'),
    of('healthPort', portFlag('health-port', 'port of /healthz and /readyz', 8000)),
    address('debugAddress', 'debug-http-address', 'address of /debug/dag and /debug/pprof', '127.0.0.1'),
    of('debugPort', portFlag('debug-http-port', 'port of /debug/dag and /debug/pprof', 6060)),
  ]
}

function xdsFlags(): readonly SettingFlag[] {
  return [
    address('xdsAddress', 'xds-address', 'where Envoys connect', '127.0.0.1'),
    of('xdsPort', portFlag('xds-port', 'port where Envoys connect', 8001)),
    of(
      'xdsCa',
      new Option('--contour-cafile <file>', "authority that Envoys' certificates must be signed by"),
    ),
    of('xdsCertificate', new Option('--contour-cert-file <file>', 'certificate shown to Envoys')),
    of('xdsKey', new Option('--contour-key-file <file>', 'its key')),
    of(
      'xdsClientNames',
      namesFlag(
        'xds-client-names',
        "DNS names of which Envoys' certificates must show one; '' for any that the authority signed",
        ['envoy', 'contour'],
      ),
    ),
    of('xdsInsecure', booleanFlag('insecure', 'serve Envoys without TLS')),
  ]
}

function envoyFlags(): readonly SettingFlag[] {
  return [
    address('statsAddress', 'stats-address', 'what Envoy listens on for health and statistics', '::'),
    of('statsPort', portFlag('stats-port', 'its port', 8002)),
    address('httpAddress', 'envoy-service-http-address', 'what Envoy listens on for HTTP', '::'),
    of('httpPort', portFlag('envoy-service-http-port', 'its port', 8080)),
    address('httpsAddress', 'envoy-service-https-address', 'what Envoy listens on for HTTPS', '::'),
    of('httpsPort', portFlag('envoy-service-https-port', 'its port', 8443)),
    of('httpAccessLog', fileFlag('envoy-http-access-log', 'access log of HTTP')),
    of('httpsAccessLog', fileFlag('envoy-https-access-log', 'access log of HTTPS')),
    of(
      'accessLogFormat',
      new Option('--accesslog-format <format>', 'form of the access log').choices(['envoy', 'json']),
    ),
    of(
      'useProxyProtocol',
      booleanFlag('use-proxy-protocol', 'clients come through a proxy that speaks the PROXY protocol'),
    ),
    of(
      'envoyServiceName',
      new Option('--envoy-service-name <name>', 'Service in front of Envoy').default('envoy'),
    ),
    of(
      'envoyServiceNamespace',
      new Option('--envoy-service-namespace <name>', "its namespace; the program's own unless given"),
    ),
    of(
      'ipv6',
      new Option(
        '--no-ipv6',
        'the kernel of the nodes has no IPv6: Envoy listens on 0.0.0.0 wherever :: is said',
      ),
    ),
  ]
}

function statusFlags(): readonly SettingFlag[] {
  return [
    of('ingressClasses', namesFlag('ingress-class-name', 'classes that are served, comma-separated', [])),
    of(
      'ingressStatusAddress',
      new Option(
        '--ingress-status-address <addresses>',
        'written to status instead of the address of Envoy',
      ).default(''),
    ),
    of('rootNamespaces', namesFlag('root-namespaces', 'namespaces that may hold root HTTPProxies', [])),
    of('watchNamespaces', namesFlag('watch-namespaces', 'namespaces that are looked at', [])),
    of(
      'disablePermitInsecure',
      booleanFlag('disable-permit-insecure', 'permitInsecure of HTTPProxies counts for nothing'),
    ),
  ]
}

const features = ['extensionservices', 'tlsroutes', 'grpcroutes', 'tcproutes', 'backendtlspolicies']

function otherFlags(): readonly Option[] {
  return [
    new Option('--disable-feature <kind>', 'a kind that is not looked at; may be given again')
      .choices(features)
      .argParser((kind: string, before: readonly string[]) => {
        if (!features.includes(kind)) throw new InvalidArgumentError(`must be one of ${features.join(', ')}.`)
        return [...before, kind]
      })
      .default([], 'none'),
    booleanFlag('disable-leader-election', 'this is the only replica'),
    new Option('--leader-election-resource-name <name>', 'Lease').default('leader-elect'),
    new Option(
      '--leader-election-resource-namespace <name>',
      "its namespace; the program's own unless given",
    ),
    secondsFlag('leader-election-lease-duration', 'how long a leader that is silent stays leader', 15),
    secondsFlag('leader-election-renew-deadline', 'within which a leader renews, or stops leading', 10),
    secondsFlag('leader-election-retry-period', 'between two tries', 2),
  ]
}

function of(setting: keyof Settings, option: Option): SettingFlag {
  return { setting, option }
}

function address(setting: keyof Settings, name: string, description: string, initial: string): SettingFlag {
  return of(setting, new Option(`--${name} <address>`, description).default(initial))
}

function fileFlag(name: string, description: string): Option {
  return new Option(`--${name} <file>`, description).default('/dev/stdout')
}

function namesFlag(name: string, description: string, initial: readonly string[]): Option {
  return new Option(`--${name} <names>`, description)
    .argParser((text: string) =>
      text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .default(initial, initial.join(',') || 'none')
}

/** As Go writes it: `15s`, `1m30s`; in seconds. */
function secondsFlag(name: string, description: string, initial: number): Option {
  return new Option(`--${name} <duration>`, description)
    .argParser((text: string) => {
      const seconds = parseGoDuration(text)
      if (seconds === undefined || seconds <= 0)
        throw new InvalidArgumentError('must be a duration above 0, like 15s or 1m30s.')
      return seconds
    })
    .default(initial, `${initial}s`)
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0.')
  return value
}

/** 0 leaves it to its default, as it does in the file. */
function orZero(read: (text: string) => number): (text: string) => number {
  return (text) => (/^0(\.0+)?$/.test(text) ? 0 : read(text))
}

async function serve(command: Command, flags: Flags, settings: readonly SettingFlag[]): Promise<void> {
  const said = givenSettings(command, settings)
  if (said.incluster === true) insistOnPod(command)
  const namespace = process.env['CONTOUR_NAMESPACE'] || 'projectcontour'
  const { runServe } = await import('@landfall/ingress')
  await runServe({
    logger: (debug) => loggerOf(debug ? 'debug' : 'info', command),
    version: readVersion(),
    signal: stopSignal(),
    configuration: sourceOf(flags, namespace),
    flags: said,
    namespace,
    disabledFeatures: flags.disableFeature,
    leaderElection: flags.disableLeaderElection
      ? undefined
      : {
          name: flags.leaderElectionResourceName,
          namespace: flags.leaderElectionResourceNamespace ?? namespace,
          identity: process.env['POD_NAME'] || hostname(),
          leaseSeconds: flags.leaderElectionLeaseDuration,
          renewSeconds: flags.leaderElectionRenewDeadline,
          retrySeconds: flags.leaderElectionRetryPeriod,
        },
  })
}

/** A flag that was not given says nothing, whatever its default. */
export function givenSettings(command: Command, settings: readonly SettingFlag[]): Settings {
  const given = settings.filter(
    ({ option }) => command.getOptionValueSource(option.attributeName()) === 'cli',
  )
  return Object.fromEntries(
    given.map(({ option, setting }) => [setting, command.getOptionValue(option.attributeName()) as unknown]),
  )
}

function sourceOf({ configPath, contourConfigName }: Flags, namespace: string): ConfigurationSource {
  if (configPath !== undefined) return { kind: 'file', path: configPath }
  return contourConfigName === undefined
    ? { kind: 'flags' }
    : { kind: 'object', namespace, name: contourConfigName }
}
