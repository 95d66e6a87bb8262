/** `serve`: the control plane of Envoy. The flags are those of `contour serve`. */
import { hostname } from 'node:os'
import { Command, Option } from 'commander'
import {
  addAll,
  booleanFlag,
  given,
  insistOnPod,
  kubeconfigFlag,
  loggerOf,
  portFlag,
  stopSignal,
} from '../flags.ts'
import { readVersion } from '../version.ts'

interface Flags {
  readonly incluster: boolean
  readonly kubeconfig?: string
  readonly debug: boolean
  readonly httpAddress: string
  readonly httpPort: number
  readonly healthAddress: string
  readonly healthPort: number
  readonly xdsAddress: string
  readonly xdsPort: number
  readonly contourCafile?: string
  readonly contourCertFile?: string
  readonly contourKeyFile?: string
  readonly xdsClientNames: string
  readonly insecure: boolean
  readonly statsAddress: string
  readonly statsPort: number
  readonly envoyServiceHttpAddress: string
  readonly envoyServiceHttpPort: number
  readonly envoyServiceHttpsAddress: string
  readonly envoyServiceHttpsPort: number
  readonly envoyHttpAccessLog: string
  readonly envoyHttpsAccessLog: string
  readonly useProxyProtocol: boolean
  readonly ingressClassName: string
  readonly ingressStatusAddress: string
  readonly envoyServiceName: string
  readonly envoyServiceNamespace?: string
  readonly rootNamespaces: string
  readonly watchNamespaces: string
  readonly disablePermitInsecure: boolean
  readonly disableLeaderElection: boolean
  readonly leaderElectionResourceName: string
  readonly leaderElectionResourceNamespace?: string
  readonly ipv6: boolean
}

export function serveCommand(): Command {
  const command = new Command('serve').description('program Envoy from Ingress and HTTPProxy objects')
  addAll(
    command,
    booleanFlag('incluster', "use the pod's own credentials"),
    kubeconfigFlag(),
    booleanFlag('debug', 'log more'),
    new Option('--http-address <address>', 'address of /metrics').default('::'),
    portFlag('http-port', 'port of /metrics', 8000),
    new Option('--health-address <address>', 'address of /healthz and /readyz').default('::'),
    portFlag('health-port', 'port of /healthz and /readyz', 8000),
    ...xdsFlags(),
    ...envoyFlags(),
    new Option('--ingress-class-name <names>', 'classes that are served, comma-separated').default(''),
    new Option(
      '--ingress-status-address <addresses>',
      'written to status instead of the address of Envoy',
    ).default(''),
    new Option('--root-namespaces <names>', 'namespaces that may hold root HTTPProxies').default(''),
    new Option('--watch-namespaces <names>', 'namespaces that are looked at').default(''),
    booleanFlag('disable-permit-insecure', 'permitInsecure of HTTPProxies counts for nothing'),
    ...leaderFlags(),
  )
  return command.action((flags: Flags) => serve(command, flags))
}

function xdsFlags(): readonly Option[] {
  return [
    new Option('--xds-address <address>', 'where Envoys connect').default('127.0.0.1'),
    portFlag('xds-port', 'port where Envoys connect', 8001),
    new Option('--contour-cafile <file>', "authority that Envoys' certificates must be signed by"),
    new Option('--contour-cert-file <file>', 'certificate shown to Envoys'),
    new Option('--contour-key-file <file>', 'its key'),
    new Option(
      '--xds-client-names <names>',
      "DNS names of which Envoys' certificates must show one; '' for any that the authority signed",
    ).default('envoy,contour'),
    booleanFlag('insecure', 'serve Envoys without TLS'),
  ]
}

function envoyFlags(): readonly Option[] {
  return [
    new Option('--stats-address <address>', 'what Envoy listens on for health and statistics').default('::'),
    portFlag('stats-port', 'its port', 8002),
    new Option('--envoy-service-http-address <address>', 'what Envoy listens on for HTTP').default('::'),
    portFlag('envoy-service-http-port', 'its port', 8080),
    new Option('--envoy-service-https-address <address>', 'what Envoy listens on for HTTPS').default('::'),
    portFlag('envoy-service-https-port', 'its port', 8443),
    new Option('--envoy-http-access-log <file>', 'access log of HTTP').default('/dev/stdout'),
    new Option('--envoy-https-access-log <file>', 'access log of HTTPS').default('/dev/stdout'),
    booleanFlag('use-proxy-protocol', 'clients come through a proxy that speaks the PROXY protocol'),
    new Option('--envoy-service-name <name>', 'Service in front of Envoy').default('envoy'),
    new Option('--envoy-service-namespace <name>', "its namespace; the program's own unless given"),
    new Option(
      '--no-ipv6',
      'the kernel of the nodes has no IPv6: Envoy listens on 0.0.0.0 wherever :: is said',
    ),
  ]
}

function leaderFlags(): readonly Option[] {
  return [
    booleanFlag('disable-leader-election', 'this is the only replica'),
    new Option('--leader-election-resource-name <name>', 'Lease').default('leader-elect'),
    new Option(
      '--leader-election-resource-namespace <name>',
      "its namespace; the program's own unless given",
    ),
  ]
}

async function serve(command: Command, flags: Flags): Promise<void> {
  if (flags.incluster) insistOnPod(command)
  const namespace = process.env['CONTOUR_NAMESPACE'] || 'projectcontour'
  const identity = process.env['POD_NAME'] || hostname()
  const { runServe } = await import('@landfall/ingress')
  await runServe({
    logger: loggerOf(flags.debug ? 'debug' : 'info'),
    version: readVersion(),
    signal: stopSignal(),
    ...given('kubeconfig', flags.incluster ? undefined : flags.kubeconfig),
    http: { address: flags.httpAddress, port: flags.httpPort },
    health: { address: flags.healthAddress, port: flags.healthPort },
    xds: { address: flags.xdsAddress, port: flags.xdsPort },
    xdsTls: xdsTls(command, flags),
    xdsClientNames: names(flags.xdsClientNames),
    envoyHttp: { address: flags.envoyServiceHttpAddress, port: flags.envoyServiceHttpPort },
    envoyHttps: { address: flags.envoyServiceHttpsAddress, port: flags.envoyServiceHttpsPort },
    envoyStats: { address: flags.statsAddress, port: flags.statsPort },
    envoyAdminPort: 9001,
    ipv6: flags.ipv6,
    httpAccessLog: flags.envoyHttpAccessLog,
    httpsAccessLog: flags.envoyHttpsAccessLog,
    useProxyProtocol: flags.useProxyProtocol,
    ingressClasses: names(flags.ingressClassName),
    rootNamespaces: names(flags.rootNamespaces),
    watchNamespaces: names(flags.watchNamespaces),
    disablePermitInsecure: flags.disablePermitInsecure,
    ingressStatusAddress: flags.ingressStatusAddress,
    envoyServiceName: flags.envoyServiceName,
    envoyServiceNamespace: flags.envoyServiceNamespace ?? namespace,
    leaderElection: flags.disableLeaderElection
      ? undefined
      : {
          name: flags.leaderElectionResourceName,
          namespace: flags.leaderElectionResourceNamespace ?? namespace,
          identity,
        },
  })
}

/** Without TLS only when asked for by name. */
function xdsTls(
  command: Command,
  flags: Flags,
): { readonly ca: string; readonly certificate: string; readonly key: string } | undefined {
  const { contourCafile: ca, contourCertFile: certificate, contourKeyFile: key } = flags
  if (ca !== undefined && certificate !== undefined && key !== undefined) return { ca, certificate, key }
  if (flags.insecure) return undefined
  return command.error(
    'error: give --contour-cafile, --contour-cert-file and --contour-key-file, or --insecure',
  )
}

function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
