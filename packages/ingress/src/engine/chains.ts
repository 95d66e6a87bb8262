/**
 * The chains that the secure hosts want: one for hosts with the same settings, one for each that passes streams, one for
 * all whose certificates are fetched at the handshake.
 */
import { openAccess } from '../dag/access.ts'
import { isBelow } from '../envoy/chain-matcher.ts'
import {
  accessIdentity,
  type ChainRequest,
  chainName,
  type SecureChain,
  tcpChainIdentity,
} from '../envoy/secure-chains.ts'

interface Entry {
  readonly chain: SecureChain
  /** Those of the chain, while it is shared. */
  readonly hosts: Set<string>
}

export class Chains {
  readonly #entries = new Map<string, Entry>()
  readonly #wildcards = new Set<string>()

  /** Answers whether the listener has to change. */
  replace(host: string, before: ChainRequest | undefined, after: ChainRequest | undefined): boolean {
    const old = before === undefined ? undefined : identityOf(before)
    const now = after === undefined ? undefined : identityOf(after)
    if (old === now) return false
    const left = old !== undefined && this.#leave(old, host)
    const joined = now !== undefined && after !== undefined && this.#join(now, host, after)
    return left || joined
  }

  /** The listener names the host. */
  #isListed({ chain }: Entry, host: string): boolean {
    if (chain.kind !== 'on-demand' || isBelow(host, this.#wildcards)) return true
    return [...this.#entries.values()].some(({ chain: { kind } }) => kind === 'fallback')
  }

  get size(): number {
    return this.#entries.size
  }

  get all(): readonly SecureChain[] {
    return [...this.#entries.values()].map(({ chain }) => chain)
  }

  #leave(identity: string, host: string): boolean {
    const entry = this.#entries.get(identity)
    if (entry === undefined) return false
    entry.hosts.delete(host)
    if (entry.chain.kind !== 'fallback') this.#wildcards.delete(host)
    if (entry.hosts.size === 0) this.#entries.delete(identity)
    return entry.hosts.size === 0 || this.#isListed(entry, host)
  }

  #join(identity: string, host: string, request: ChainRequest): boolean {
    if (request.kind !== 'fallback' && host.startsWith('*.')) this.#wildcards.add(host)
    const found = this.#entries.get(identity)
    if (found !== undefined) {
      found.hosts.add(host)
      return this.#isListed(found, host)
    }
    const hosts = new Set([host])
    const shared = request.kind === 'http' || request.kind === 'on-demand'
    this.#entries.set(identity, { hosts, chain: shared ? { ...request, hosts } : request })
    return true
  }
}

function identityOf(request: ChainRequest): string {
  if (request.kind === 'on-demand') {
    const { minimum, maximum, access } = request
    return `on-demand ${minimum}-${maximum} ${accessIdentity(access)}`
  }
  if (request.kind === 'fallback') return `fallback ${chainName(request.settings, openAccess)}`
  return request.kind === 'tcp'
    ? `tcp ${tcpChainIdentity(request)}`
    : `http ${chainName(request.settings, request.access)}`
}
