/** A resource as people may see it: Envoy's JSON form, with what is secret taken out. */
import type { Any } from '@bufbuild/protobuf/wkt'
import { readable, schemas } from '../golden/readable.ts'
import type { ResourceType } from '../xds/resource.ts'

const secret = new Set([
  'private_key',
  'private_key_provider',
  'password',
  'session_ticket_keys',
  'generic_secret',
  'pkcs12',
])

/** A resource that holds what is not known here is told by its type alone: its bytes may be a key. */
export function printable(type: ResourceType, resource: Any): unknown {
  if (!resource.typeUrl.endsWith(`/${schemas[type].typeName}`)) return { '@type': resource.typeUrl }
  try {
    return withoutSecrets(readable(type, { name: '', version: '', bytes: resource.value }))
  } catch {
    return { '@type': resource.typeUrl, unreadable: 'it holds an extension that is not known here' }
  }
}

export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secret.has(name) ? '[redacted]' : withoutSecrets(inner),
    ]),
  )
}
