/**
 * Content that Envoys refuse at present, and whose it is: resources by name → the root HTTPProxies of the hosts that
 * hold them. A listener is everybody's, so that none is told of it.
 */
import type { Key } from '@landfall/kube/model'
import { endpointsOf } from '../envoy/cluster.ts'
import { fallbackTableName, plainTableName } from '../envoy/route-table.ts'
import type { ResourceType } from '../xds/resource.ts'
import type { Unit } from './units.ts'

export interface ResourceName {
  readonly type: ResourceType
  readonly name: string
}

/** The hosts that may hold a resource, and perhaps others. */
export type Holders = (resource: ResourceName) => readonly Unit[]

export class Refusals {
  readonly #words = new Map<string, string>()
  readonly #holders: Holders

  constructor(holders: Holders) {
    this.#holders = holders
  }

  /** @param message Envoy's words; undefined: accepted, or gone @returns the root HTTPProxies that it concerns */
  take(resource: ResourceName, message: string | undefined): readonly Key[] {
    const tag = tagOf(resource)
    if (message === undefined) this.#words.delete(tag)
    else this.#words.set(tag, message)
    const holding = this.#holders(resource).filter((unit) =>
      resourcesOf(unit).some((one) => tagOf(one) === tag),
    )
    return [...new Set(holding.flatMap(({ root }) => root ?? []))]
  }

  adopt(before: Refusals): void {
    for (const [tag, message] of before.#words) this.#words.set(tag, message)
  }

  /** What is refused of a host, in words that name the host and the resource. */
  of(unit: Unit): readonly string[] {
    if (this.#words.size === 0) return []
    return resourcesOf(unit).flatMap((resource) => {
      const words = this.#words.get(tagOf(resource))
      return words === undefined ? [] : [`host "${unit.host}": ${resource.type} "${resource.name}": ${words}`]
    })
  }
}

function tagOf({ type, name }: ResourceName): string {
  return `${type}:${name}`
}

function resourcesOf({ tables, plain, fallbackEntry, clusters, secrets }: Unit): readonly ResourceName[] {
  const endpoints = new Set([...clusters.values()].flatMap((cluster) => endpointsOf(cluster) ?? []))
  return [
    ...tables.flatMap(({ name }) => [
      { type: 'scopes' as const, name },
      { type: 'routes' as const, name },
    ]),
    ...(plain === undefined || plain === true ? [] : [{ type: 'routes' as const, name: plainTableName }]),
    ...(fallbackEntry === undefined ? [] : [{ type: 'routes' as const, name: fallbackTableName }]),
    ...[...clusters.keys()].map((name) => ({ type: 'clusters' as const, name })),
    ...[...endpoints].map((name) => ({ type: 'endpoints' as const, name })),
    ...secrets.map(({ name }) => ({ type: 'secrets' as const, name })),
  ]
}
