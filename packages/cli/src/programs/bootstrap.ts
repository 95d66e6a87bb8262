/** `bootstrap PATH`: writes the file with which Envoy starts. */
import { hostname } from 'node:os'
import { Command, Option } from 'commander'
import { addAll, idleFlag, loggerOf, portFlag, wholeNumber } from '../flags.ts'

interface Flags {
  readonly adminAddress: string
  readonly dnsLookupFamily: 'auto' | 'v4' | 'v6' | 'all'
  readonly envoyCafile?: string
  readonly envoyCertFile?: string
  readonly envoyKeyFile?: string
  readonly namespace: string
  readonly overloadDownstreamMaxConn?: number
  readonly overloadMaxHeap?: number
  readonly resourcesDir?: string
  readonly xdsAddress: string
  readonly xdsPort: number
}

export function bootstrapCommand(): Command {
  const command = new Command('bootstrap')
    .description("write Envoy's bootstrap configuration")
    .argument('<path>', 'file to write; - is standard output')
  addAll(
    command,
    new Option('--admin-address <path>', "unix socket of Envoy's admin interface").default(
      '/admin/admin.sock',
    ),
    new Option('--dns-lookup-family <family>', "addresses of the control plane's name that are used")
      .choices(['auto', 'v4', 'v6', 'all'])
      .default('auto'),
    new Option('--envoy-cafile <file>', 'authority that the control plane must be signed by'),
    new Option('--envoy-cert-file <file>', "Envoy's certificate for the control plane"),
    new Option('--envoy-key-file <file>', "Envoy's key for the control plane"),
    new Option('--namespace <name>', 'namespace that Envoy runs in')
      .env('CONTOUR_NAMESPACE')
      .default('projectcontour'),
    new Option('--overload-downstream-max-conn <n>', 'client connections over all listeners').argParser(
      wholeNumber(0),
    ),
    new Option('--overload-max-heap <bytes>', 'heap above which Envoy sheds load').argParser(wholeNumber(0)),
    new Option('--resources-dir <folder>', 'write certificate paths there, so that renewal needs no restart'),
    new Option('--xds-address <host>', 'control plane').default('127.0.0.1'),
    portFlag('xds-port', 'port of the control plane', 8001),
    new Option('--xds-resource-version <version>', "version of Envoy's interface")
      .choices(['v3'])
      .default('v3'),
    idleFlag('--admin-port <port>'),
  )
  return command.action(async (path: string, flags: Flags) => {
    const { writeBootstrap } = await import('@landfall/ingress/bootstrap')
    await writeBootstrap({
      logger: loggerOf('info', command),
      path,
      nodeId: process.env['ENVOY_POD_NAME'] || hostname(),
      nodeCluster: process.env['ENVOY_POD_NAMESPACE'] || flags.namespace,
      xdsAddress: flags.xdsAddress,
      xdsPort: flags.xdsPort,
      adminAddress: flags.adminAddress,
      dnsLookupFamily: flags.dnsLookupFamily,
      tls: tlsOf(command, flags),
      resourcesDirectory: flags.resourcesDir,
      // As with Contour, 0 is no limit.
      maximumHeapBytes: flags.overloadMaxHeap || undefined,
      maximumDownstreamConnections: flags.overloadDownstreamMaxConn || undefined,
    })
  })
}

/** All three files or none. */
function tlsOf(
  command: Command,
  flags: Flags,
): { readonly ca: string; readonly certificate: string; readonly key: string } | undefined {
  const { envoyCafile: ca, envoyCertFile: certificate, envoyKeyFile: key } = flags
  if (ca !== undefined && certificate !== undefined && key !== undefined) return { ca, certificate, key }
  if (ca === undefined && certificate === undefined && key === undefined) return undefined
  return command.error('error: --envoy-cafile, --envoy-cert-file and --envoy-key-file go together')
}
