/** Objects as they are written → the world that translation sees, as if a cluster held them and nothing else. */
import {
  type HTTPProxy,
  httpProxy,
  type TLSCertificateDelegation,
  tlsCertificateDelegation,
} from '@landfall/api'
import { customType, ingressType, type RawObject, serviceType } from '@landfall/kube'
import type { Change } from '../model/objects.ts'
import { tlsSecretType } from '../serve/tls-secret.ts'
import { extensionServiceType } from '../status/status-sync.ts'

const httpProxyType = customType<HTTPProxy>(httpProxy)
const delegationType = customType<TLSCertificateDelegation>(tlsCertificateDelegation)

/** Undefined for a kind that translation does not read. */
export function changeOf(raw: RawObject): Change | undefined {
  const key = `${raw.metadata.namespace ?? ''}/${raw.metadata.name}`
  const added = { key, before: undefined }
  switch (`${raw.apiVersion}/${raw.kind}`) {
    case 'networking.k8s.io/v1/Ingress':
      return { kind: 'ingress', ...added, after: ingressType.project(raw) }
    case 'projectcontour.io/v1/HTTPProxy':
      return { kind: 'httpProxy', ...added, after: httpProxyType.project(raw) }
    case 'v1/Service':
      return { kind: 'service', ...added, after: serviceType.project(raw) }
    case 'v1/Secret':
      return { kind: 'secret', ...added, after: tlsSecretType.project(withData(raw)) }
    case 'projectcontour.io/v1/TLSCertificateDelegation':
      return { kind: 'delegation', ...added, after: delegationType.project(raw) }
    case 'projectcontour.io/v1alpha1/ExtensionService':
      return { kind: 'extensionService', ...added, after: extensionServiceType.project(raw) }
    default:
      return undefined
  }
}

/** As the API server does: `stringData` is a way to write `data`. */
function withData(raw: RawObject): RawObject {
  const { data, stringData } = raw
  if (typeof stringData !== 'object' || stringData === null) return raw
  const encoded = Object.entries(stringData).map(([name, value]) => [
    name,
    Buffer.from(String(value)).toString('base64'),
  ])
  return { ...raw, data: { ...(typeof data === 'object' ? data : {}), ...Object.fromEntries(encoded) } }
}
