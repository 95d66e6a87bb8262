/** The flags of each program, as its command line knows them. */
import type { Command, Option } from 'commander'
import { commandOf } from '../command.ts'

export interface CommandFlags {
  /** `landfall envoy shutdown` */
  readonly command: string
  readonly description: string
  readonly flags: readonly {
    readonly flag: string
    readonly variable: string
    readonly initial: string
    readonly description: string
  }[]
}

/** Of every command that does something, in the order of `landfall --help`. */
export function commandFlags(): readonly CommandFlags[] {
  return below(commandOf('landfall'), '')
}

function below(command: Command, before: string): readonly CommandFlags[] {
  const name = `${before}${command.name()}`
  const flags = command.options
    .filter(({ hidden, long }) => !hidden && long !== '--version')
    .map((option) => ({
      flag: option.flags,
      variable: option.envVar ?? '',
      initial: initialOf(option),
      description: option.description,
    }))
  const own = { command: name, description: command.description(), flags }
  return [...(flags.length > 0 ? [own] : []), ...command.commands.flatMap((sub) => below(sub, `${name} `))]
}

/** Nothing that the machine decides: host name and folders for temporary files differ. */
function initialOf({ long, defaultValue, defaultValueDescription, negate }: Option): string {
  if (negate || long === '--pod-name') return ''
  if (long === '--cert-dir') return 'k8s-webhook-server/serving-certs under the temporary folder'
  if (defaultValueDescription !== undefined) return defaultValueDescription
  if (defaultValue === undefined || defaultValue === false || defaultValue === '') return ''
  return Array.isArray(defaultValue) ? defaultValue.join(',') : String(defaultValue)
}
