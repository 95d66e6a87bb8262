/** `config validate FILE…`: what a cluster's status would say of files, without a cluster. */
import { Command, Option } from 'commander'
import { given, parsePort } from '../flags.ts'

interface Flags {
  readonly configPath?: string
  readonly namespace: string
  readonly ingressClassName: string
  readonly rootNamespaces: string
  readonly statsPort?: number
  readonly output: 'table' | 'json'
}

export function configCommand(): Command {
  return new Command('config').description('look at configuration').addCommand(validateCommand())
}

function validateCommand(): Command {
  return new Command('validate')
    .description('say what the status of Ingresses and HTTPProxies in files would be; exit code 1 on errors')
    .argument('<files...>', 'files, folders with YAML in them, or - for standard input')
    .option('-c, --config-path <file>', 'contour.yaml that holds for them')
    .option('--namespace <name>', 'of objects that name none', 'default')
    .option('--ingress-class-name <names>', 'classes that are served, comma-separated', '')
    .option('--root-namespaces <names>', 'namespaces that may hold root HTTPProxies', '')
    .addOption(
      new Option('--stats-port <port>', "port of Envoy's health, as given to serve").argParser(parsePort),
    )
    .addOption(
      new Option('-o, --output <form>', 'form of the answer').choices(['table', 'json']).default('table'),
    )
    .action(async (paths: readonly string[], flags: Flags) => {
      const { hasErrors, table, validateFiles } = await import('@landfall/ingress/validation')
      const findings = await validateFiles({
        paths,
        namespace: flags.namespace,
        configPath: flags.configPath,
        flags: {
          ...named('ingressClasses', flags.ingressClassName),
          ...named('rootNamespaces', flags.rootNamespaces),
          ...given('statsPort', flags.statsPort),
        },
      })
      process.stdout.write(
        flags.output === 'json' ? `${JSON.stringify(findings, undefined, 2)}\n` : table(findings),
      )
      if (hasErrors(findings)) process.exitCode = 1
    })
}

function named(setting: 'ingressClasses' | 'rootNamespaces', text: string) {
  const names = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  return names.length === 0 ? {} : { [setting]: names }
}
