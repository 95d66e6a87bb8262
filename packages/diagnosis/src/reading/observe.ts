/** Lists of objects as the API server sent them → what a diagnosis reads of them. */
import * as api from '@landfall/api'
import type { Change } from '@landfall/ingress/routing'
import { changeOf } from '@landfall/ingress/validation'
import {
  configMapType,
  customType,
  endpointSliceType,
  namespaceType,
  nodeType,
  projectMeta,
  type RawObject,
  type ResourceType,
  secretType,
} from '@landfall/kube'
import { type KubeObject, keyOf } from '@landfall/kube/model'
import { systemConfigMaps } from '../facts/config-map.ts'
import type { Gap, Judged, Observed, Places, Read } from '../observed.ts'
import { conditionsOf } from './conditions.ts'
import { podFacts, probesSeen } from './pod-facts.ts'
import type { Lists } from './read.ts'
import { balancedService } from './services.ts'

export function observe(lists: Lists, places: Places): Observed {
  const of = <T>(kind: string, project: (raw: RawObject) => T): Read<T> => {
    const { items, gap } = lists.get(kind) ?? { items: [] }
    return { items: items.map(project), ...(gap === undefined ? {} : { gap }) }
  }
  const typed = <T extends KubeObject>(type: ResourceType<T>) => of(type.kind, (raw) => type.project(raw))
  const custom = <T extends KubeObject>(identity: api.ResourceIdentity) => typed(customType<T>(identity))
  const probes = probesSeen(lists.get('Event')?.items ?? [])
  return {
    places,
    pools: custom<api.IPAddressPool>(api.ipAddressPool),
    l2Advertisements: custom<api.L2Advertisement>(api.l2Advertisement),
    bgpAdvertisements: custom<api.BGPAdvertisement>(api.bgpAdvertisement),
    peers: custom<api.BGPPeer>(api.bgpPeer),
    bfdProfiles: custom<api.BFDProfile>(api.bfdProfile),
    communities: custom<api.Community>(api.community),
    configMaps: of(systemConfigMaps, (raw) => configMapType.project(raw)),
    configurationStates: custom<api.ConfigurationState>(api.configurationState),
    layer2Reports: custom<api.ServiceL2Status>(api.serviceL2Status),
    bgpReports: custom<api.ServiceBGPStatus>(api.serviceBGPStatus),
    sessions: custom<api.BGPSessionStatus>(api.bgpSessionStatus),
    counted: new Set(),
    services: of('Service', balancedService),
    slices: typed(endpointSliceType),
    nodes: typed(nodeType),
    namespaces: typed(namespaceType),
    pods: of('Pod', (raw) => podFacts(raw, probes.get(keyOf(projectMeta(raw))) ?? '')),
    secrets: typed(secretType),
    ingresses: of('Ingress', (raw) => ({ meta: projectMeta(raw) })),
    proxies: custom<api.HTTPProxy>(api.httpProxy),
    judged: { items: judged(lists) },
    changes: changesOf(lists),
    gaps: gapsOf(lists),
  }
}

function changesOf(lists: Lists): readonly Change[] {
  return [...lists.values()].flatMap(({ items }) => items.flatMap((raw) => changeOf(raw) ?? []))
}

const withConditions = [
  'IPAddressPool',
  'L2Advertisement',
  'BGPAdvertisement',
  'BGPPeer',
  'BFDProfile',
  'Community',
  'ConfigurationState',
  'HTTPProxy',
  'ExtensionService',
  'ContourConfiguration',
]

function judged(lists: Lists): readonly Judged[] {
  return withConditions.flatMap((kind) =>
    (lists.get(kind)?.items ?? []).map((raw) => ({
      kind,
      meta: projectMeta(raw),
      conditions: conditionsOf(raw),
    })),
  )
}

function gapsOf(lists: Lists): ReadonlyMap<string, Gap> {
  return new Map([...lists].flatMap(([kind, { gap }]) => (gap === undefined ? [] : [[kind, gap] as const])))
}
