/** The configuration of controller and speakers as they read it, by their own code: of the `metallb.io` objects, or of the ConfigMap. */
import {
  type BuiltConfig,
  besideRefusedPools,
  buildConfig,
  type Config,
  heldPool,
  type Pool,
  type Source,
  sourceOf,
} from '@landfall/metallb'
import { parseIP } from '@landfall/netip'
import type { BalancedService, Gap, Observed, Read } from '../observed.ts'
import { type LegacyFacts, legacyFacts } from './config-map.ts'

export interface Configuration {
  /** `unknown`: what may rule cannot be read. */
  readonly source: Source | 'unknown'
  readonly config: Config
  /** The ConfigMap, whether it rules or not; undefined where there is none. */
  readonly legacy: LegacyFacts | undefined
}

/** Made once for what was observed. */
const known = new WeakMap<Observed, Configuration>()

export function configurationOf(observed: Observed): Configuration {
  const found = known.get(observed)
  if (found !== undefined) return found
  const made = configurationFrom(observed)
  known.set(observed, made)
  return made
}

function configurationFrom(observed: Observed): Configuration {
  const built = builtFromObjects(observed)
  const legacy = legacyFacts(observed)
  if (unreadable(observed) !== undefined) return { source: 'unknown', config: built.config, legacy }
  const source = sourceOf(built, legacy !== undefined)
  const config =
    source === 'configMap' && legacy !== undefined ? besideRefusedPools(legacy, built).config : built.config
  return { source, config, legacy }
}

/** Why it cannot be told which configuration rules; undefined: it can. */
export function unreadable({ pools, configMaps }: Pick<Observed, 'pools' | 'configMaps'>): Gap | undefined {
  const shut = ({ gap }: Read<unknown>) => (gap?.why === 'notInstalled' ? undefined : gap)
  return shut(pools) ?? (pools.items.length > 0 ? undefined : shut(configMaps))
}

function builtFromObjects(observed: Observed): BuiltConfig {
  return buildConfig({
    namespace: observed.places.system,
    pools: observed.pools.items,
    l2Advertisements: observed.l2Advertisements.items,
    bgpAdvertisements: observed.bgpAdvertisements.items,
    peers: observed.peers.items,
    bfdProfiles: observed.bfdProfiles.items,
    communities: observed.communities.items,
    nodes: observed.nodes.items,
    namespaces: observed.namespaces.items,
    secrets: observed.secrets.items,
  })
}

export function configOf(observed: Observed): Config {
  return configurationOf(observed).config
}

/** The ConfigMap where that rules; undefined: it does not. */
export function rulingConfigMap(observed: Observed): LegacyFacts | undefined {
  const { source, legacy } = configurationOf(observed)
  return source === 'configMap' ? legacy : undefined
}

/** The pool behind an address of the Service. */
export function poolOfAddress(
  observed: Observed,
  service: Pick<BalancedService, 'ingress' | 'meta'>,
  address: string,
): Pool | undefined {
  const ip = parseIP(address)
  if (ip === undefined) return undefined
  const ips = service.ingress.flatMap((entry) => parseIP(entry.ip ?? '') ?? [])
  const allocatedFrom = service.meta.annotations['metallb.io/ip-allocated-from-pool'] ?? ''
  return heldPool(configOf(observed), ip, { ips, allocatedFrom })
}

/** `L2Advertisement lan`, those of layer 2 first. */
export function advertisementNames({ l2, bgp }: Pick<Pool, 'l2' | 'bgp'>): readonly string[] {
  return [
    ...l2.map(({ name }) => `L2Advertisement ${name}`),
    ...bgp.map(({ name }) => `BGPAdvertisement ${name}`),
  ]
}
