/** `certgen`: makes the certificates between Envoy and the control plane. */
import { Command, Option } from 'commander'
import { addAll, booleanFlag, given, insistOnPod, kubeconfigFlag, loggerOf, wholeNumber } from '../flags.ts'
import { readVersion } from '../version.ts'

interface Flags {
  readonly incluster: boolean
  readonly kubeconfig?: string
  readonly kube: boolean
  readonly yaml: boolean
  readonly pem: boolean
  readonly overwrite: boolean
  readonly namespace: string
  readonly certificateLifetime: number
  readonly secretsFormat: 'compact' | 'legacy'
  readonly secretsNameSuffix: string
}

export function certgenCommand(): Command {
  const command = new Command('certgen')
    .description('make the certificates between Envoy and the control plane')
    .argument('[folder]', 'where --yaml and --pem write', 'certs')
  addAll(
    command,
    booleanFlag('incluster', "use the pod's own credentials"),
    kubeconfigFlag(),
    booleanFlag('kube', 'write Secrets to the cluster'),
    booleanFlag('yaml', 'write manifests of the Secrets'),
    booleanFlag('pem', 'write PEM files'),
    booleanFlag('overwrite', 'replace what exists'),
    new Option('--namespace <name>', 'namespace of the Secrets')
      .env('CONTOUR_NAMESPACE')
      .default('projectcontour'),
    new Option('--certificate-lifetime <days>', 'days until the certificates end')
      .argParser(wholeNumber(1))
      .default(365),
    new Option('--secrets-format <format>', 'compact: the CA in each Secret; legacy: in one of its own too')
      .choices(['compact', 'legacy'])
      .default('compact'),
    new Option('--secrets-name-suffix <text>', "appended to the Secrets' names").default(''),
  )
  return command.action(async (directory: string, flags: Flags) => {
    if (flags.incluster) insistOnPod(command)
    const { runCertgen } = await import('@landfall/ingress/certgen')
    await runCertgen({
      logger: loggerOf('info', command),
      version: readVersion(),
      ...given('kubeconfig', flags.incluster ? undefined : flags.kubeconfig),
      kube: flags.kube,
      yaml: flags.yaml,
      pem: flags.pem,
      overwrite: flags.overwrite,
      directory,
      namespace: flags.namespace,
      lifetimeDays: flags.certificateLifetime,
      format: flags.secretsFormat,
      nameSuffix: flags.secretsNameSuffix,
    })
  })
}
