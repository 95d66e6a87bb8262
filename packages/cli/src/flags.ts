/** The flags that several programs share, and how texts become values. Flag > environment > default. */
import { createLogger, type Logger, type LogLevel } from '@landfall/telemetry'
import { type Command, InvalidArgumentError, Option } from 'commander'

const logLevels: readonly LogLevel[] = ['all', 'debug', 'info', 'warn', 'error', 'none']

/** Go's boolean flags may be written `--name=false`. */
export function booleanFlag(name: string, description: string): Option {
  return new Option(`--${name} [bool]`, description).argParser(parseBoolean).preset('true').default(false)
}

function parseBoolean(text: string): boolean {
  if (['true', '1', 't'].includes(text.toLowerCase())) return true
  if (['false', '0', 'f'].includes(text.toLowerCase())) return false
  throw new InvalidArgumentError('must be true or false.')
}

export function portFlag(name: string, description: string, initial: number): Option {
  return new Option(`--${name} <port>`, description).argParser(parsePort).default(initial)
}

function parsePort(text: string): number {
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

export function kubeconfigFlag(): Option {
  return new Option(
    '--kubeconfig <file>',
    'cluster to use; without it KUBECONFIG, then the pod, then ~/.kube/config',
  )
}

export function logLevelFlag(): Option {
  return new Option('--log-level <level>', 'least severe lines that are logged')
    .choices(logLevels)
    .default('info')
}

export function loggerOf(level: LogLevel): Logger {
  return createLogger({ level })
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
