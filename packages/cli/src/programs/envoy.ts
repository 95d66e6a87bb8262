/** `envoy shutdown-manager` and `envoy shutdown`: stopping an Envoy without losing a request. */
import { Command, Option } from 'commander'
import { addAll, idleFlag, loggerOf, parseMilliseconds, portFlag, stopSignal, wholeNumber } from '../flags.ts'
import { readVersion } from '../version.ts'

const readyFile = () =>
  new Option('--ready-file <file>', 'made when Envoy may be stopped').default('/admin/ok')

export function envoyCommand(): Command {
  return new Command('envoy')
    .description('beside Envoy: its sidecar and its preStop hook')
    .addCommand(shutdownManagerCommand())
    .addCommand(shutdownCommand())
}

function shutdownManagerCommand(): Command {
  const command = new Command('shutdown-manager').description('answer when Envoy may be stopped')
  addAll(command, readyFile(), portFlag('serve-port', 'port of /healthz and /shutdown', 8090))
  return command.action(async (flags: { readonly readyFile: string; readonly servePort: number }) => {
    const { runShutdownManager } = await import('@landfall/ingress/shutdown')
    await runShutdownManager({
      logger: loggerOf('info', command),
      version: readVersion(),
      signal: stopSignal(),
      address: '::',
      port: flags.servePort,
      readyFile: flags.readyFile,
    })
  })
}

interface ShutdownFlags {
  readonly adminAddress: string
  readonly readyFile: string
  readonly drainDelay: number
  readonly checkDelay: number
  readonly checkInterval: number
  readonly minOpenConnections: number
  readonly quietPeriod: number
}

function shutdownCommand(): Command {
  const command = new Command('shutdown').description('drain Envoy, then let it be stopped')
  const duration = (name: string, description: string, initialMs: number) =>
    new Option(`--${name} <duration>`, description)
      .argParser(parseMilliseconds)
      .default(initialMs, `${initialMs / 1000}s`)
  addAll(
    command,
    new Option('--admin-address <path>', "unix socket of Envoy's admin interface").default(
      '/admin/admin.sock',
    ),
    readyFile(),
    duration('drain-delay', 'before Envoy is told', 0),
    duration('check-delay', 'until the first look at its connections', 0),
    duration('check-interval', 'between two looks', 5000),
    new Option('--min-open-connections <n>', 'that many connections count as none')
      .argParser(wholeNumber(0))
      .default(0),
    duration('quiet-period', 'no new connection may have come for so long; 0s: does not matter', 0),
    idleFlag('--admin-port <port>'),
  )
  return command.action(async (flags: ShutdownFlags) => {
    const { runShutdown } = await import('@landfall/ingress/shutdown')
    await runShutdown({
      logger: loggerOf('info', command),
      version: readVersion(),
      signal: stopSignal(),
      adminAddress: flags.adminAddress,
      readyFile: flags.readyFile,
      drainDelayMs: flags.drainDelay,
      checkDelayMs: flags.checkDelay,
      checkIntervalMs: flags.checkInterval,
      minOpenConnections: flags.minOpenConnections,
      quietPeriodMs: flags.quietPeriod,
    })
  })
}
