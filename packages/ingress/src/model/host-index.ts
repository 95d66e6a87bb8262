/**
 * Which Ingresses and root HTTPProxies speak for which host, and which Ingresses have a certificate for it. Maintained change by change, never rebuilt.
 * Hosts are lower case; `*` stands for "any host" (an Ingress rule without host, or a default backend).
 */
import type { HTTPProxy } from '@landfall/api'
import { byAge, type Ingress, type Key, type KubeObject } from '@landfall/kube/model'
import { isOurIngress, isOurProxy } from './ingress-class.ts'
import type { Change, World } from './objects.ts'

interface Contributors {
  readonly ingresses: Set<Key>
  readonly certified: Set<Key>
  readonly proxies: Set<Key>
}

export class HostIndex {
  readonly #hosts = new Map<string, Contributors>()
  readonly #world: World
  readonly #classes: readonly string[]

  constructor(world: World, classes: readonly string[]) {
    this.#world = world
    this.#classes = classes
  }

  /** Takes a change in; answers the hosts that it concerns, those of before and of after. */
  apply(change: Change): ReadonlySet<string> {
    if (change.kind === 'ingress') {
      const served = this.#move(change, 'ingresses', hostsOf)
      return new Set([...served, ...this.#move(change, 'certified', certifiedHostsOf)])
    }
    if (change.kind === 'httpProxy') {
      const before = this.#hostOfProxy(change.before)
      const after = this.#hostOfProxy(change.after)
      if (before !== undefined && before !== after) this.#drop(before, 'proxies', change.key)
      if (after !== undefined) this.#at(after).proxies.add(change.key)
      return new Set([before, after].filter((host) => host !== undefined))
    }
    return new Set()
  }

  /** Those with rules for the host, oldest first. */
  ingresses(host: string): readonly Ingress[] {
    return resolve(this.#hosts.get(host)?.ingresses, this.#world.ingress)
  }

  /** Those that name a certificate for the host, oldest first; they need not have rules for it. */
  certified(host: string): readonly Ingress[] {
    return resolve(this.#hosts.get(host)?.certified, this.#world.ingress)
  }

  /** Oldest first. */
  proxies(host: string): readonly HTTPProxy[] {
    return resolve(this.#hosts.get(host)?.proxies, this.#world.httpProxy)
  }

  /** The hosts of before and of after. */
  #move(
    change: Extract<Change, { readonly kind: 'ingress' }>,
    what: 'ingresses' | 'certified',
    of: (ingress: Ingress) => ReadonlySet<string>,
  ): ReadonlySet<string> {
    const hosts = (ingress: Ingress | undefined): ReadonlySet<string> =>
      ingress !== undefined && isOurIngress(ingress, this.#classes) ? of(ingress) : new Set()
    const before = hosts(change.before)
    const after = hosts(change.after)
    for (const host of before) if (!after.has(host)) this.#drop(host, what, change.key)
    for (const host of after) this.#at(host)[what].add(change.key)
    return new Set([...before, ...after])
  }

  #hostOfProxy(proxy: HTTPProxy | undefined): string | undefined {
    if (proxy === undefined || !isOurProxy(proxy, this.#classes)) return undefined
    return proxy.spec.virtualhost?.fqdn.toLowerCase()
  }

  #at(host: string): Contributors {
    let found = this.#hosts.get(host)
    if (found === undefined) {
      found = { ingresses: new Set(), certified: new Set(), proxies: new Set() }
      this.#hosts.set(host, found)
    }
    return found
  }

  #drop(host: string, what: keyof Contributors, key: Key): void {
    const found = this.#hosts.get(host)
    if (found === undefined) return
    found[what].delete(key)
    if (Object.values(found).every(({ size }) => size === 0)) this.#hosts.delete(host)
  }
}

function resolve<T extends KubeObject>(
  keys: ReadonlySet<Key> | undefined,
  objects: ReadonlyMap<Key, T>,
): readonly T[] {
  return [...(keys ?? [])].flatMap((key) => objects.get(key) ?? []).toSorted(byAge)
}

/** The host that a rule stands for. */
export function ruleHost(host: string): string {
  return host === '' ? '*' : host.toLowerCase()
}

/** Those that it has rules for. */
export function hostsOf(ingress: Ingress): ReadonlySet<string> {
  const hosts = new Set(ingress.rules.map((rule) => ruleHost(rule.host)))
  if (ingress.defaultBackend !== undefined) hosts.add('*')
  return hosts
}

function certifiedHostsOf({ tls }: Ingress): ReadonlySet<string> {
  const named = tls.filter(({ secretName }) => secretName !== '').flatMap(({ hosts }) => hosts)
  return new Set(named.filter((host) => host !== '').map((host) => host.toLowerCase()))
}
