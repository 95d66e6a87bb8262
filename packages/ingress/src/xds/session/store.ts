/**
 * The desired resources of all Envoys, by type and name. In: whole snapshots or changes. Out: the changes that
 * are none in content taken away, so that what follows costs as much as what really changed.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  makeResource,
  type Resource,
  type ResourceMap,
  type ResourceType,
  resourceTypes,
  type Snapshot,
} from '../resource.ts'

/** By type: name → the new resource, or undefined for one that is gone. */
export type Change = { readonly [T in ResourceType]?: ReadonlyMap<string, Resource | undefined> }

/** What a client may have before all is known. */
export type Foreseen = Pick<Change, 'runtime' | 'clusters' | 'endpoints'>

const nothing: ResourceMap = new Map()

export class ResourceStore {
  readonly #current: Record<ResourceType, Map<string, Resource>>
  /** The maps of the last snapshot, of types that nothing else has changed since. */
  readonly #published = new Map<ResourceType, ResourceMap>()

  constructor() {
    this.#current = {
      clusters: new Map(),
      endpoints: new Map(),
      secrets: new Map(),
      listeners: new Map(),
      routes: new Map(),
      scopes: new Map(),
      runtime: new Map(),
    }
  }

  /** A secret also by another spelling of a host's name, which is then its own. */
  get(type: ResourceType, name: string): Resource | undefined {
    const found = this.#current[type].get(name)
    if (found !== undefined || type !== 'secrets' || name === name.toLowerCase()) return found
    const secret = this.#current.secrets.get(name.toLowerCase())
    return secret && respelled(secret, name)
  }

  all(type: ResourceType): ResourceMap {
    return this.#current[type]
  }

  /** Takes over a whole snapshot; answers what differs from before. */
  replace(snapshot: Snapshot): Change {
    const change: { [T in ResourceType]?: ReadonlyMap<string, Resource | undefined> } = {}
    for (const type of resourceTypes) {
      const wanted = snapshot[type] ?? nothing
      if (wanted === this.#published.get(type)) continue
      const changed = difference(this.#current[type], wanted)
      if (changed.size > 0) change[type] = changed
    }
    this.apply(change)
    for (const type of resourceTypes) this.#published.set(type, snapshot[type] ?? nothing)
    return change
  }

  /** Takes over a change; answers the part of it that changed something. */
  apply(change: Change): Change {
    const effective: { [T in ResourceType]?: ReadonlyMap<string, Resource | undefined> } = {}
    for (const type of resourceTypes) {
      if (change[type] !== undefined) this.#published.delete(type)
      const current = this.#current[type]
      const changed = new Map<string, Resource | undefined>()
      for (const [name, resource] of change[type] ?? []) {
        if (current.get(name)?.version === resource?.version) continue
        if (resource === undefined) current.delete(name)
        else current.set(name, resource)
        changed.set(name, resource)
      }
      if (changed.size > 0) effective[type] = changed
    }
    return effective
  }
}

/** Envoy asks as the client wrote the host, and takes no other name. Of a field that stands twice the last one counts. */
function respelled({ bytes }: Resource, name: string): Resource {
  const own = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).finish()
  return makeResource(name, Buffer.concat([bytes, own]))
}

function difference(current: ResourceMap, wanted: ResourceMap): Map<string, Resource | undefined> {
  const changed = new Map<string, Resource | undefined>()
  for (const [name, resource] of wanted) {
    if (current.get(name)?.version !== resource.version) changed.set(name, resource)
  }
  for (const name of current.keys()) {
    if (!wanted.has(name)) changed.set(name, undefined)
  }
  return changed
}
