/** The flags that several programs share, and how texts become values. Flag > environment > default. */
import { parseGoDuration } from '@landfall/api'
import { createLogger, type LogFormat, type Logger, type LogLevel, logLevels } from '@landfall/telemetry'
import { type Command, InvalidArgumentError, Option } from 'commander'

/** True when given. `--name=true` and `--name=false`, as Go writes it, are taken too: see `plainBooleans`. */
export function booleanFlag(name: string, description: string): Option {
  return new Option(`--${name}`, description).default(false)
}

/**
 * The command line with `--name=true` as `--name` and `--name=false` left out, for the boolean flags of the command and
 * of those below it; a flag that is on by default becomes `--no-name`.
 */
export function plainBooleans(command: Command, argv: readonly string[]): string[] {
  const flags = booleanFlags(command)
  return argv.flatMap((argument) => {
    const [, name, value] = /^--([a-z0-9-]+)=(true|false|t|f|1|0)$/i.exec(argument) ?? []
    const onByDefault = name === undefined ? undefined : flags.get(name)
    if (name === undefined || value === undefined || onByDefault === undefined) return [argument]
    if (/^[t1]/i.test(value)) return onByDefault ? [] : [`--${name}`]
    return onByDefault ? [`--no-${name}`] : []
  })
}

/** The command line with long flags after one dash, as Go takes them too, after two. */
export function doubleDashes(command: Command, argv: readonly string[]): string[] {
  const known = longNames(command)
  const end = argv.indexOf('--')
  return argv.map((argument, index) => {
    const [, name] = /^-([a-z][a-z0-9-]+)(=|$)/.exec(argument) ?? []
    const isFlag = name !== undefined && known.has(name) && (end < 0 || index < end)
    return isFlag ? `-${argument}` : argument
  })
}

function longNames(command: Command): ReadonlySet<string> {
  const own = command.options.map(({ long }) => long?.slice(2) ?? '')
  return new Set([...own, ...command.commands.flatMap((below) => [...longNames(below)])])
}

/** Each boolean flag's name, and whether it is on by default. */
function booleanFlags(command: Command): ReadonlyMap<string, boolean> {
  const own = command.options
    .filter((option) => option.isBoolean() || option.negate)
    .map((option) => [option.name().replace(/^no-/, ''), option.negate] as const)
  return new Map([...own, ...command.commands.flatMap((below) => [...booleanFlags(below)])])
}

/** Only the pod's own credentials: without them an error, whatever kubeconfig there is. */
export function insistOnPod(command: Command): void {
  if (!process.env['KUBERNETES_SERVICE_HOST']) {
    command.error('error: --incluster: this is no pod, KUBERNETES_SERVICE_HOST is not set')
  }
  delete process.env['KUBECONFIG']
}

export function portFlag(name: string, description: string, initial: number): Option {
  return new Option(`--${name} <port>`, description).argParser(parsePort).default(initial)
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InvalidArgumentError('must be a port, 0 to 65535.')
  }
  return port
}

/** A whole number from `least` up. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`must be a whole number, at least ${least}.`)
    }
    return value
  }
}

/** Seconds: `90`, or as Go writes durations: `90s`, `10m`, `1h30m`. */
export function parseSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : parseGoDuration(text)
  if (seconds === undefined || seconds < 0)
    throw new InvalidArgumentError('must be a duration, like 10m or 90.')
  return seconds
}

/** As Go writes durations (`500ms`, `1m30s`), in milliseconds. */
export function parseMilliseconds(text: string): number {
  const seconds = parseGoDuration(text)
  if (seconds === undefined || seconds < 0)
    throw new InvalidArgumentError('must be a duration, like 500ms or 1m30s.')
  return Math.round(seconds * 1000)
}

export function kubeconfigFlag(): Option {
  return new Option(
    '--kubeconfig <file>',
    'cluster to use; without it KUBECONFIG, then the pod, then ~/.kube/config',
  )
}

/** Where the cluster pulls Landfall's images from, without scheme, tag or a slash at its end. */
export function imageRegistryFlag(): Option {
  return new Option(
    '--image-registry <registry>',
    'where Landfall’s images are pulled from: registry.example.com:5000/team gives registry.example.com:5000/team/landfall/controller; without it their names alone',
  ).argParser(parseRegistry)
}

function parseRegistry(text: string): string {
  const [host = '', ...path] = text.split('/')
  const isPath = path.every((part) => /^[a-z0-9]+([._-]+[a-z0-9]+)*$/.test(part))
  if (!/^[a-z0-9]+([.-]+[a-z0-9]+)*(:\d+)?$/i.test(host) || !isPath) {
    throw new InvalidArgumentError('must be a registry, as registry.example.com:5000/team.')
  }
  return text
}

export function logLevelFlag(): Option {
  return new Option('--log-level <level>', 'least severe lines that are logged')
    .choices(logLevels)
    .default('info')
}

/** Of the root; it may stand behind the command too. */
export function logFormatFlag(): Option {
  return new Option('--log-format <format>', 'form of log lines').choices(['json', 'text']).default('json')
}

/** @param command whose root may have `--log-format` */
export function loggerOf(level: LogLevel, command?: Command): Logger {
  const { logFormat = 'json' } = command?.optsWithGlobals<{ readonly logFormat?: LogFormat }>() ?? {}
  return createLogger({ level, format: logFormat })
}

/** A flag of Contour's that means nothing any more there either; taken so that arguments stay. */
export function idleFlag(flags: string): Option {
  return new Option(flags, 'taken, and of no effect').hideHelp()
}

/** Aborted by SIGTERM and SIGINT; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort()
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  return controller.signal
}

export function addAll(command: Command, ...options: readonly Option[]): Command {
  for (const option of options) command.addOption(option)
  return command
}

/** `{ [name]: value }` without the names whose value is undefined: what exact optional properties take. */
export function given<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  const entry: { [key in K]?: V } = {}
  if (value !== undefined) entry[name] = value
  return entry
}
