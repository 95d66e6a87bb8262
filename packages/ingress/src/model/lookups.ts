/**
 * What the translation of one virtual host may read. Each read is recorded, absent objects too, so that the
 * host is translated anew exactly when something that it read has changed.
 */
import type { ExtensionService, HTTPProxy, TLSCertificateDelegation } from '@landfall/api'
import type { Ingress, Key, Secret, Service } from '@landfall/kube/model'
import type { HostIndex } from './host-index.ts'
import { isOurProxy } from './ingress-class.ts'
import type { World } from './objects.ts'

export interface Lookups {
  /** Those with rules for the host, oldest first. */
  ingresses(host: string): readonly Ingress[]
  /** Those that name a certificate for the host, oldest first. */
  certified(host: string): readonly Ingress[]
  /** Root HTTPProxies of the host, oldest first. */
  roots(host: string): readonly HTTPProxy[]
  /** An HTTPProxy of our class. */
  proxy(key: Key): HTTPProxy | undefined
  service(key: Key): Service | undefined
  secret(key: Key): Secret | undefined
  delegations(namespace: string): readonly TLSCertificateDelegation[]
  extensionService(key: Key): ExtensionService | undefined
}

/** A read, as `kind:key`; of delegations the whole namespace, as `delegation:namespace`. */
export type Read = string

export function readOf(kind: string, key: string): Read {
  return `${kind}:${key}`
}

export interface RecordingLookups extends Lookups {
  readonly reads: ReadonlySet<Read>
}

export function recordingLookups(
  world: World,
  hosts: HostIndex,
  classes: readonly string[],
): RecordingLookups {
  const reads = new Set<Read>()
  return {
    reads,
    ingresses: (host) => hosts.ingresses(host),
    certified: (host) => hosts.certified(host),
    roots: (host) => hosts.proxies(host),
    proxy(key) {
      reads.add(readOf('httpProxy', key))
      const found = world.httpProxy.get(key)
      return found !== undefined && isOurProxy(found, classes) ? found : undefined
    },
    service(key) {
      reads.add(readOf('service', key))
      return world.service.get(key)
    },
    secret(key) {
      reads.add(readOf('secret', key))
      return world.secret.get(key)
    },
    delegations(namespace) {
      reads.add(readOf('delegation', namespace))
      return world.delegation.within(namespace)
    },
    extensionService(key) {
      reads.add(readOf('extensionService', key))
      return world.extensionService.get(key)
    },
  }
}
