/** Why no advertisement is for a pool: there is none at all, or none that names it. */
import type { Observed } from '../observed.ts'
import { sessionFacts } from './announcers.ts'
import { advertisementNames, configOf, configurationOf } from './configuration.ts'

export interface AdvertisementLack {
  readonly message: string
  readonly next: string
}

const mostNamed = 3

/** @param pools by name; undefined: one of them has an advertisement, or it cannot be told */
export function advertisementLack(
  observed: Observed,
  pools: readonly string[],
): AdvertisementLack | undefined {
  const { l2Advertisements: l2, bgpAdvertisements: bgp } = observed
  if (l2.gap !== undefined || bgp.gap !== undefined) return undefined
  // Each pool of a ConfigMap says by itself how it is announced.
  if (configurationOf(observed).source === 'configMap') return undefined
  const all = [
    ...l2.items.map(({ meta }) => `L2Advertisement ${meta.name}`),
    ...bgp.items.map(({ meta }) => `BGPAdvertisement ${meta.name}`),
  ]
  const names = pools.filter((name) => name !== '').join(', ')
  if (all.length === 0) {
    return {
      message: `there is no L2Advertisement and no BGPAdvertisement at all: nobody announces addresses${names === '' ? '' : ` of pool ${names}`}`,
      next: creation(observed, pools),
    }
  }
  const found = configOf(observed).pools.filter(({ name }) => pools.includes(name))
  if (found.length === 0 || found.some((pool) => advertisementNames(pool).length > 0)) return undefined
  const more = all.length > mostNamed ? [`${all.length - mostNamed} more`] : []
  return {
    message: `no L2Advertisement and no BGPAdvertisement is for pool ${names}: there are ${[...all.slice(0, mostNamed), ...more].join(', ')}, for other pools`,
    next: `Add ${names} to spec.ipAddressPools of ${all[0]}: kubectl -n ${observed.places.system} edit ${(all[0] ?? '').toLowerCase()}`,
  }
}

/** Of the kind that fits: by BGP where some router listens already. */
function creation({ sessions, places }: Observed, pools: readonly string[]): string {
  const up = sessionFacts(sessions.items).filter(({ established }) => established)
  const peers = [...new Set(up.map(({ peer }) => peer))].join(', ')
  const kind = up.length > 0 ? 'BGPAdvertisement' : 'L2Advertisement'
  const why = up.length > 0 ? `sessions with ${peers} are up` : 'no BGP session is up'
  const names = pools.filter((name) => name !== '')
  const [name = 'default'] = names
  const object = {
    apiVersion: 'metallb.io/v1beta1',
    kind,
    metadata: { namespace: places.system, name },
    spec: names.length === 0 ? {} : { ipAddressPools: names },
  }
  return `Create one, ${up.length > 0 ? 'a' : 'an'} ${kind}, as ${why}: echo '${JSON.stringify(object)}' | kubectl create -f -`
}
