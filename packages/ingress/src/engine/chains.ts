/** The chains that the secure hosts want: one for hosts with the same settings, one for each that passes streams. */
import { openAccess } from '../dag/access.ts'
import { type ChainRequest, chainName, type SecureChain, tcpChainIdentity } from '../envoy/secure-chains.ts'

interface Entry {
  readonly chain: SecureChain
  /** Those of the chain, while it is shared. */
  readonly hosts: Set<string>
}

export class Chains {
  readonly #entries = new Map<string, Entry>()

  /** Answers whether the listener has to change. */
  replace(host: string, before: ChainRequest | undefined, after: ChainRequest | undefined): boolean {
    const old = before === undefined ? undefined : identityOf(before)
    const now = after === undefined ? undefined : identityOf(after)
    if (old === now) return false
    if (old !== undefined) this.#leave(old, host)
    if (now !== undefined && after !== undefined) this.#join(now, host, after)
    return true
  }

  get all(): readonly SecureChain[] {
    return [...this.#entries.values()].map(({ chain }) => chain)
  }

  #leave(identity: string, host: string): void {
    const entry = this.#entries.get(identity)
    entry?.hosts.delete(host)
    if (entry?.hosts.size === 0) this.#entries.delete(identity)
  }

  #join(identity: string, host: string, request: ChainRequest): void {
    const found = this.#entries.get(identity)
    if (found !== undefined) {
      found.hosts.add(host)
      return
    }
    const hosts = new Set([host])
    this.#entries.set(identity, { hosts, chain: request.kind === 'http' ? { ...request, hosts } : request })
  }
}

function identityOf(request: ChainRequest): string {
  if (request.kind === 'fallback') return `fallback ${chainName(request.settings, openAccess)}`
  return request.kind === 'tcp'
    ? `tcp ${tcpChainIdentity(request)}`
    : `http ${chainName(request.settings, request.access)}`
}
