/**
 * The flags that MetalLB's controller and speaker share: how `/metrics` is served, what TLS is spoken, and what has no
 * meaning here, which is taken and said.
 */
import {
  type Logger,
  type MetricsListener,
  type Parsed,
  parseCipherSuites,
  parseCurves,
  parseTlsVersion,
  type TlsSettings,
} from '@landfall/telemetry'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { parsePort } from './flags.ts'

export interface ServingFlags {
  readonly port?: number
  readonly tlsMinVersion: TlsSettings['minVersion']
  readonly tlsCipherSuites?: string
  readonly tlsCurvePreferences?: string
  readonly metricsCertDir: string
}

const securePort = 9120
/** Of the releases that were configured by a ConfigMap. */
const legacyPort = 7472

export function servingFlags(): readonly Option[] {
  return [
    new Option(
      '--port <port>',
      'port of /metrics, /healthz and /readyz; 0 for none; plain HTTP on every port but 9120, which is the default and HTTPS, unless --metrics-cert-dir is given',
    ).argParser(parsePort),
    new Option('--tls-min-version <version>', 'VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13')
      .argParser(taken(parseTlsVersion))
      .default('TLSv1.3', 'VersionTLS13'),
    new Option('--tls-cipher-suites <names>', 'of TLS 1.2 and below, IANA names between commas').argParser(
      taken(parseCipherSuites),
    ),
    new Option('--tls-curve-preferences <names>', 'X25519, CurveP256, … between commas').argParser(
      taken(parseCurves),
    ),
    new Option(
      '--metrics-cert-dir <folder>',
      'tls.crt and tls.key of /metrics; one is made unless given',
    ).default(''),
  ]
}

function taken<T>(parse: (text: string) => Parsed<T>): (text: string) => T {
  return (text) => {
    const parsed = parse(text)
    if (!parsed.ok) throw new InvalidArgumentError(`${parsed.message}.`)
    return parsed.value
  }
}

export function tlsOf({ tlsMinVersion, tlsCipherSuites, tlsCurvePreferences }: ServingFlags): TlsSettings {
  return {
    minVersion: tlsMinVersion,
    ...(tlsCipherSuites && { ciphers: tlsCipherSuites }),
    ...(tlsCurvePreferences && { ecdhCurve: tlsCurvePreferences }),
  }
}

/**
 * HTTPS where MetalLB serves it now: on its port of now, on no port named at all, or with a certificate of its own.
 * @param legacy the command line is one of the releases that were configured by a ConfigMap
 */
export function metricsOf(flags: ServingFlags, legacy: boolean): MetricsListener {
  const folder = flags.metricsCertDir
  const port = flags.port ?? (legacy ? legacyPort : securePort)
  const secure = port === securePort || folder !== ''
  return {
    address: '::',
    port,
    secure: secure ? { tls: tlsOf(flags), certificateFolder: folder || undefined } : undefined,
  }
}

/** Whether the ConfigMap is named on the command line, as only the releases did that were configured by it. */
export function isLegacy(command: Command): boolean {
  return command.getOptionValueSource('config') === 'cli'
}

/** A flag or a variable of MetalLB that has no meaning here. */
export interface Ignored {
  /** Without dashes; '' for a variable alone. */
  readonly flag: string
  readonly variable?: string
  /** Takes no value. */
  readonly boolean?: boolean
  readonly why: string
}

export const ignoredByBoth: readonly Ignored[] = [
  {
    flag: 'pprof-bind-address',
    why: 'this program is none of Go; NODE_OPTIONS=--inspect opens a profiler',
  },
  // Of v0.11 to v0.13.
  {
    flag: 'enable-pprof',
    boolean: true,
    why: 'this program is none of Go; NODE_OPTIONS=--inspect opens a profiler',
  },
  {
    flag: 'disable-epslices',
    boolean: true,
    why: 'EndpointSlices are read where the role grants them, and Endpoints where it grants only those',
  },
]

export function ignoredOptions(ignored: readonly Ignored[]): readonly Option[] {
  return ignored
    .filter(({ flag }) => flag !== '')
    .map(({ flag, variable, boolean, why }) => {
      const option = new Option(boolean ? `--${flag}` : `--${flag} <value>`, `no effect: ${why}`)
      return variable === undefined ? option : option.env(variable)
    })
}

/** A line for each that was given. */
export function sayIgnored(command: Command, ignored: readonly Ignored[], logger: Logger): void {
  for (const { flag, variable, why } of ignored) {
    const option = command.options.find(({ long }) => flag !== '' && long === `--${flag}`)
    const source = option && command.getOptionValueSource(option.attributeName())
    const given = source === 'cli' || source === 'env' || (!option && process.env[variable ?? ''])
    const name = source === 'cli' || variable === undefined ? `--${flag}` : variable
    if (given) logger.info('flagWithoutEffect', { flag: name }, `${name} has no effect: ${why}`)
  }
}

const bgpTypes: readonly string[] = ['native', 'frr', 'frr-k8s']

/** One engine serves for all modes of MetalLB; a mode that nobody knows is likely a slip, and is said louder. */
export function sayBgpType(logger: Logger, mode: string | undefined = process.env['METALLB_BGP_TYPE']): void {
  if (!mode) return
  const known = bgpTypes.includes(mode)
  const message = known
    ? `METALLB_BGP_TYPE=${mode} has no effect: one engine does what native, frr and frr-k8s do`
    : `METALLB_BGP_TYPE=${mode} is no mode of MetalLB, and has no effect`
  logger[known ? 'info' : 'warn']('flagWithoutEffect', { flag: 'METALLB_BGP_TYPE' }, message)
}
