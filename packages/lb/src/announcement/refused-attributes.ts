/**
 * What of a Service's annotations on its BGP routes does not hold, and why (pure). It is a condition of its own, which is
 * there only then: the Service is announced as it would be without them.
 */
import {
  asksForAttributes,
  type BGPAdvertisement,
  type Config,
  matchesAny,
  type Pool,
  readRouteAttributes,
} from '@landfall/metallb'
import type { Said } from './announced.ts'

interface Annotated {
  readonly meta: {
    readonly annotations: Readonly<Record<string, string>>
    readonly labels: Readonly<Record<string, string>>
  }
}

/** @param pools of its addresses */
export function refusedAttributes(
  { meta: { annotations, labels } }: Annotated,
  pools: readonly Pick<Pool, 'bgp'>[],
  { communities }: Pick<Config, 'communities'>,
): Said | undefined {
  if (!asksForAttributes(annotations)) return undefined
  const { problems } = readRouteAttributes(annotations, communities)
  if (problems.length > 0) return said('invalidAnnotation', problems.join('; '))
  const ads = pools.flatMap(({ bgp }) => bgp.filter((ad) => matchesAny(ad.serviceSelectors, labels)))
  if (ads.length === 0 || ads.some(hasOwnRoutes)) return undefined
  return said('routesAggregated', 'its routes are aggregates, which are also those of other Services')
}

function hasOwnRoutes({ aggregationLength, aggregationLengthV6 }: BGPAdvertisement): boolean {
  return aggregationLength === 32 || aggregationLengthV6 === 128
}

function said(reason: string, message: string): Said {
  return { status: 'False', reason, message }
}
