/**
 * The certificate of one host of an Ingress: the first TLS entry with a Secret that lists the host. What of the TLS
 * entries and their annotations nothing comes of is said, for nothing else would tell.
 */
import type { Ingress } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import type { DagOptions } from './options.ts'
import { type Problem, warning } from './problem.ts'
import { resolveTls, type Tls, versionProblem } from './tls-settings.ts'

const certificateNamespace = 'projectcontour.io/tls-cert-namespace'
const minimumVersion = 'projectcontour.io/tls-minimum-protocol-version'
const maximumVersion = 'projectcontour.io/tls-maximum-protocol-version'

export function ingressTlsWarnings(ingress: Ingress): readonly Problem[] {
  const versions = [minimumVersion, maximumVersion]
    .map((name) => versionProblem(ingress.meta.annotations[name] ?? '', `metadata.annotations["${name}"]`))
    .filter((message) => message !== undefined)
    .map((message) => warning('TLSError', 'TLSConfigNotValid', `${message}; the default is used`))
  return [...versions, ...ignoredEntries(ingress)]
}

function ignoredEntries({ rules, tls }: Ingress): readonly Problem[] {
  const ignored = (message: string) => warning('TLSError', 'IgnoredField', message)
  const wanted = new Set(rules.map(({ host }) => host.toLowerCase()))
  return tls.flatMap(({ hosts, secretName }, index) => {
    const field = `spec.tls[${index}]`
    if (secretName === '') return [ignored(`${field}: without secretName there is no certificate to serve`)]
    if (hosts.length === 0) return [ignored(`${field}: without hosts no rule uses this certificate`)]
    return hosts.flatMap((host, at) => {
      const name = host.toLowerCase()
      return name !== '' && wanted.has(name)
        ? []
        : [
            ignored(
              `${field}.hosts[${at}]: no rule here has the host "${host}", only those of other Ingresses may use it`,
            ),
          ]
    })
  })
}

export function ingressTls(
  host: string,
  ingress: Ingress,
  lookups: Lookups,
  options: DagOptions,
  problems: Problem[],
): Tls | undefined {
  const index = ingress.tls.findIndex(
    (entry) => entry.secretName !== '' && entry.hosts.some((name) => name.toLowerCase() === host),
  )
  const entry = ingress.tls[index]
  if (host === '*' || entry === undefined) return undefined
  const { annotations, namespace } = ingress.meta
  const other = annotations[certificateNamespace] ?? ''
  const request = {
    secretName: other === '' || other === namespace ? entry.secretName : `${other}/${entry.secretName}`,
    namespace,
    minimum: annotations[minimumVersion] ?? '',
    maximum: annotations[maximumVersion] ?? '',
    field: `spec.tls[${index}].secretName`,
  }
  const resolved = resolveTls(request, lookups, options.tls)
  if (resolved.ok) return resolved.value
  problems.push(...resolved.problems)
  return undefined
}
