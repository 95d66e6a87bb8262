/** The pools that there are, of objects and of the ConfigMap where that rules, each with where it is written. */
import type { IPAddressPool } from '@landfall/api'
import { type Pool, poolNamed } from '@landfall/metallb'
import type { Observed } from '../observed.ts'
import type { LegacyFacts } from './config-map.ts'
import { advertisementNames, configOf, rulingConfigMap } from './configuration.ts'
import { type Place, placeInConfigMap, placeOfObject } from './place.ts'

export interface PoolFact {
  readonly name: string
  /** As they are written. */
  readonly addresses: readonly string[]
  readonly autoAssign: boolean
  readonly place: Place
  /** By what, as `L2Advertisement lan`; [] for nothing. */
  readonly advertised: readonly string[]
  /** In force, or held to be so though it is refused; undefined: it is neither. */
  readonly pool: Pool | undefined
  /** Of a pool that is an object of its own. */
  readonly object: IPAddressPool | undefined
}

export function poolFacts(observed: Observed): readonly PoolFact[] {
  const legacy = rulingConfigMap(observed)
  const inForce = (name: string) => poolNamed(configOf(observed), name)
  const own = observed.pools.items.map((object): PoolFact => {
    // While a ConfigMap rules, a pool of that name is another one.
    const pool = legacy === undefined ? inForce(object.meta.name) : undefined
    return {
      ...written(object),
      place: placeOfObject('IPAddressPool', object),
      advertised: pool === undefined ? [] : advertisementNames(pool),
      pool,
      object,
    }
  })
  const listed = legacy?.pools.map((made): PoolFact => {
    const pool = inForce(made.object.meta.name)
    return {
      ...written(made.object),
      place: placeInConfigMap(legacy, made),
      advertised: pool === undefined ? [] : protocolsOf(pool, legacy),
      pool,
      object: undefined,
    }
  })
  return [...own, ...(listed ?? [])]
}

function written({ meta, spec }: IPAddressPool) {
  return { name: meta.name, addresses: spec.addresses, autoAssign: spec.autoAssign ?? true }
}

function protocolsOf({ l2, bgp }: Pool, { configMap }: LegacyFacts): readonly string[] {
  const protocols = [...(l2.length > 0 ? ['layer 2'] : []), ...(bgp.length > 0 ? ['BGP'] : [])]
  return protocols.map((protocol) => `${protocol} (ConfigMap ${configMap.meta.name})`)
}
