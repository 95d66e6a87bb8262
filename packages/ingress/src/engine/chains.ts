/**
 * The chains that the secure hosts want: one for hosts with the same settings, one for each that passes streams, one for
 * all whose certificates are fetched at the handshake. And by which names of the handshake each is taken: where a
 * certificate has a wildcard, one chain takes all that is below it, so that one of its hosts more or less changes nothing.
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

/** From here on a certificate more takes an Envoy longer than half a second (`docs/configuration.md`). */
export const manyChains = 1000

interface Entry {
  /** Of the host that came last. */
  request: ChainRequest
  /** And the wildcard of its certificate that has the host. */
  readonly hosts: Map<string, string | undefined>
}

export class Chains {
  readonly #named: boolean
  readonly #entries = new Map<string, Entry>()
  /** Hosts that are wildcards themselves, and their chains. */
  readonly #wildcards = new Map<string, string>()
  /** Of certificates: how many hosts below it each chain has. */
  readonly #covered = new Map<string, Map<string, number>>()
  #fallbacks = 0

  /** @param named the listener says beside the chains which host has which */
  constructor(named: boolean) {
    this.#named = named
  }

  /** Answers whether the listener has to change. */
  replace(host: string, before: ChainRequest | undefined, after: ChainRequest | undefined): boolean {
    const old = before && identityOf(before)
    const now = after && identityOf(after)
    const other = wildcardsOf(before).join() !== wildcardsOf(after).join()
    if (old === now && !other) return false
    const covers = [coverOf(host, before), coverOf(host, after)]
    const takers = () => covers.map((wildcard) => this.#takerOf(wildcard))
    const was = takers()
    const left = before !== undefined && this.#leave(identityOf(before), host)
    const joined = after !== undefined && this.#join(identityOf(after), host, after)
    return left || joined || (old === now && other) || takers().some((taker, at) => taker !== was[at])
  }

  get size(): number {
    return this.#entries.size
  }

  get all(): readonly SecureChain[] {
    const wildcards = new Map<string, string[]>()
    const takers = new Map<string, string>()
    for (const wildcard of this.#covered.keys()) {
      const taker = this.#takerOf(wildcard)
      if (taker === undefined) continue
      takers.set(wildcard, taker)
      if (!this.#wildcards.has(wildcard)) wildcards.set(taker, [...(wildcards.get(taker) ?? []), wildcard])
    }
    const taken = new Set([...this.#wildcards.keys(), ...takers.keys()])
    return [...this.#entries].map(([identity, { request, hosts }]): SecureChain => {
      if (request.kind === 'tcp' || request.kind === 'fallback') return request
      const isNamed =
        request.kind === 'http'
          ? ([, cover]: readonly [string, string | undefined]) =>
              cover === undefined || takers.get(cover) !== identity
          : ([host]: readonly [string, string | undefined]) => this.#fallbacks > 0 || isBelow(host, taken)
      const named = [...hosts].filter(isNamed).map(([host]) => host)
      const names = [...named, ...(wildcards.get(identity) ?? [])]
      return { ...request, hosts: [...hosts.keys()], names }
    })
  }

  /** The chain of all names below a wildcard of certificates that are named nowhere else, if there is one. */
  #takerOf(wildcard: string | undefined): string | undefined {
    if (wildcard === undefined || this.#fallbacks > 0) return undefined
    const own = this.#wildcards.get(wildcard)
    if (own !== undefined) return own
    // Those names are of the wildcard host above, whatever certificate others have for them.
    if (isBelow(wildcard.slice('*.'.length), this.#wildcards)) return undefined
    return [...(this.#covered.get(wildcard)?.keys() ?? [])].toSorted()[0]
  }

  /** The listener names the host. */
  #isNamed(identity: string, { request: { kind } }: Entry, host: string): boolean {
    if (!this.#named || this.#fallbacks > 0) return true
    if (kind === 'on-demand') {
      return isBelow(host, this.#wildcards) || isBelow(host, this.#covered)
    }
    const cover = this.#entries.get(identity)?.hosts.get(host)
    return cover === undefined || this.#takerOf(cover) !== identity
  }

  #leave(identity: string, host: string): boolean {
    const entry = this.#entries.get(identity)
    if (entry === undefined) return false
    const named = this.#isNamed(identity, entry, host)
    const cover = entry.hosts.get(host)
    entry.hosts.delete(host)
    if (cover !== undefined) this.#count(cover, identity, -1)
    if (entry.request.kind !== 'fallback') this.#wildcards.delete(host)
    if (entry.hosts.size > 0) return named
    this.#entries.delete(identity)
    if (entry.request.kind === 'fallback') this.#fallbacks--
    return true
  }

  #join(identity: string, host: string, request: ChainRequest): boolean {
    if (request.kind !== 'fallback' && host.startsWith('*.')) this.#wildcards.set(host, identity)
    const found = this.#entries.get(identity)
    const entry = found ?? { request, hosts: new Map() }
    const cover = coverOf(host, request)
    entry.request = request
    entry.hosts.set(host, cover)
    if (cover !== undefined) this.#count(cover, identity, 1)
    if (found !== undefined) return this.#isNamed(identity, found, host)
    this.#entries.set(identity, entry)
    if (request.kind === 'fallback') this.#fallbacks++
    return true
  }

  #count(wildcard: string, identity: string, by: 1 | -1): void {
    const counts = this.#covered.get(wildcard) ?? new Map<string, number>()
    const count = (counts.get(identity) ?? 0) + by
    if (count > 0) counts.set(identity, count)
    else counts.delete(identity)
    if (counts.size > 0) this.#covered.set(wildcard, counts)
    else this.#covered.delete(wildcard)
  }
}

function wildcardsOf(request: ChainRequest | undefined): readonly string[] {
  return request?.kind === 'http' ? request.wildcards : []
}

/** The wildcard of its certificate that has the host. */
function coverOf(host: string, request: ChainRequest | undefined): string | undefined {
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return !host.startsWith('*.') && wildcardsOf(request).includes(wildcard) ? wildcard : undefined
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
