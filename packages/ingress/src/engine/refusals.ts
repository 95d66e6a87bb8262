/**
 * Content that Envoys refuse at present, and whose it is: resources by name → the root HTTPProxies of the hosts that
 * hold them. A listener is everybody's, so that none is told of it.
 */
import type { Key } from '@landfall/kube/model'
import { endpointsOf } from '../envoy/cluster.ts'
import { httpListenerName } from '../envoy/listeners.ts'
import { type Side, scopeName } from '../envoy/names.ts'
import { fallbackTableName, plainTableName } from '../envoy/route-table.ts'
import { httpsListenerName } from '../envoy/secure-chains.ts'
import type { Layout } from '../xds/layout.ts'
import type { ResourceType } from '../xds/resource.ts'
import type { RefusedContent } from '../xds/session/refusals.ts'
import type { Unit } from './units.ts'

export interface ResourceName {
  readonly type: ResourceType
  readonly name: string
}

/** Content of a resource in one of the layouts, each of which has its own. */
export interface RefusedIn extends RefusedContent {
  readonly layout: Layout
}

/** What the refusals ask of the engine that they are about. */
export interface Desired {
  /** The hosts that may hold a resource, and perhaps others. */
  readonly holders: (resource: ResourceName) => readonly Unit[]
  /** Of the content that is wanted now. */
  readonly version: (resource: ResourceName) => string | undefined
}

const fewest = 64

export class Refusals {
  readonly #refused = new Map<string, RefusedContent>()
  /** What an Envoy here refused, and is well again: what a status says of that version is old. */
  readonly #cleared = new Map<string, RefusedContent>()
  /** So many are remembered before those are forgotten that nobody wants any more. */
  #most = fewest
  readonly #desired: Desired

  constructor(desired: Desired) {
    this.#desired = desired
  }

  /** @returns the root HTTPProxies that it concerns */
  add(refused: RefusedContent): readonly Key[] {
    const tag = tagOf(refused)
    this.#refused.set(tag, refused)
    if (this.#cleared.get(tag)?.version === refused.version) this.#cleared.delete(tag)
    return this.#roots(refused)
  }

  /** Accepted, or gone. @returns the root HTTPProxies that it concerns */
  clear(resource: ResourceName): readonly Key[] {
    const tag = tagOf(resource)
    const before = this.#refused.get(tag)
    if (before !== undefined) this.#cleared.set(tag, before)
    this.#refused.delete(tag)
    this.#forget()
    return this.#roots(resource)
  }

  adopt(before: Refusals): void {
    for (const [tag, refused] of before.#refused) this.#refused.set(tag, refused)
    for (const [tag, refused] of before.#cleared) this.#cleared.set(tag, refused)
  }

  /** How many are remembered that are well again. */
  get cleared(): number {
    return this.#cleared.size
  }

  /** What is refused of a host. */
  of(unit: Unit): readonly RefusedContent[] {
    if (this.#refused.size === 0) return []
    return resourcesOf(unit).flatMap((resource) => this.#refused.get(tagOf(resource)) ?? [])
  }

  /** What was said of content is still to the point: the host wants that content, and none here took it since. */
  stands(unit: Unit, content: RefusedContent): boolean {
    const tag = tagOf(content)
    return (
      this.#desired.version(content) === content.version &&
      this.#cleared.get(tag)?.version !== content.version &&
      resourcesOf(unit).some((one) => tagOf(one) === tag)
    )
  }

  /** The Ingresses of hosts that hold the resource, where no HTTPProxy has the host. */
  ingresses(resource: ResourceName): readonly Key[] {
    const outcomes = this.#holding(resource).flatMap(({ root, outcomes }) =>
      root === undefined ? outcomes : [],
    )
    return [...new Set(outcomes.flatMap(({ kind, key }) => (kind === 'ingress' ? key : [])))]
  }

  /** What is refused of content that is wanted now. */
  standing(): readonly RefusedContent[] {
    return [...this.#refused.values()].filter((one) => this.#desired.version(one) === one.version)
  }

  #forget(): void {
    if (this.#cleared.size <= this.#most) return
    for (const [tag, one] of this.#cleared)
      if (this.#desired.version(one) === undefined) this.#cleared.delete(tag)
    this.#most = Math.max(fewest, 2 * this.#cleared.size)
  }

  #roots(resource: ResourceName): readonly Key[] {
    return [...new Set(this.#holding(resource).flatMap(({ root }) => root ?? []))]
  }

  #holding(resource: ResourceName): readonly Unit[] {
    const tag = tagOf(resource)
    return this.#desired
      .holders(resource)
      .filter((unit) => resourcesOf(unit).some((one) => tagOf(one) === tag))
  }
}

function tagOf({ type, name }: ResourceName): string {
  return `${type}:${name}`
}

/** What Envoys are to hold for the host, its listeners among it. */
export function wantedBy(unit: Unit): readonly ResourceName[] {
  const { tables, plain, chain } = unit
  if (tables.length === 0 && plain === undefined && chain === undefined) return []
  return [
    ...(plain === undefined ? [] : [{ type: 'listeners' as const, name: httpListenerName }]),
    ...(chain === undefined ? [] : [{ type: 'listeners' as const, name: httpsListenerName }]),
    ...resourcesOf(unit),
  ]
}

function resourcesOf(unit: Unit): readonly ResourceName[] {
  const { host, tables, plain, fallbackEntry, clusters, secrets } = unit
  const endpoints = new Set([...clusters.values()].flatMap((cluster) => endpointsOf(cluster) ?? []))
  return [
    ...tables.flatMap(({ name }) => [
      { type: 'scopes' as const, name },
      { type: 'routes' as const, name },
    ]),
    ...(plain === undefined || plain === true ? [] : shared(plainTableName, 'http', host)),
    ...(fallbackEntry === undefined ? [] : shared(fallbackTableName, 'fallback', host)),
    ...[...clusters.keys()].map((name) => ({ type: 'clusters' as const, name })),
    ...[...endpoints].map((name) => ({ type: 'endpoints' as const, name })),
    ...secrets.map(({ name }) => ({ type: 'secrets' as const, name })),
  ]
}

/** A table of many hosts, and the host's own entry in it. */
function shared(table: string, side: Side, host: string): readonly ResourceName[] {
  return [table, scopeName(side, host)].map((name) => ({ type: 'routes', name }))
}
