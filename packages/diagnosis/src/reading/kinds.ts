/** The kinds that a diagnosis reads: one list each, two of ConfigMaps. */
import * as api from '@landfall/api'
import {
  configMapType,
  customType,
  endpointSliceType,
  eventType,
  ingressType,
  namespaceType,
  nodeType,
  podType,
  type ResourceType,
  type Selection,
  secretType,
  serviceType,
} from '@landfall/kube'
import { systemConfigMaps } from '../facts/config-map.ts'
import type { Places } from '../observed.ts'

export interface Listed {
  /** As it is called where it cannot be read: the kind, unless that is read twice. */
  readonly name: string
  readonly type: ResourceType
  readonly selection: Selection
}

/** Never a certificate: releases of helm, and tokens. */
const secretsOfInterest = 'type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token'

const everywhere: readonly ResourceType[] = [
  serviceType,
  endpointSliceType,
  nodeType,
  namespaceType,
  podType,
  ingressType,
  customType(api.httpProxy),
  customType(api.tlsCertificateDelegation),
  customType(api.extensionService),
]

const ofBalancer: readonly api.ResourceIdentity[] = [
  api.ipAddressPool,
  api.l2Advertisement,
  api.bgpAdvertisement,
  api.bgpPeer,
  api.bfdProfile,
  api.community,
  api.configurationState,
  api.serviceL2Status,
  api.serviceBGPStatus,
  api.bgpSessionStatus,
]

export function listedKinds({ system, ingress }: Places): readonly Listed[] {
  const listed: readonly Omit<Listed, 'name'>[] = [
    ...everywhere.map((type) => ({ type, selection: {} })),
    { type: eventType, selection: { fieldSelector: 'reason=Unhealthy' } },
    { type: secretType, selection: { fieldSelector: secretsOfInterest } },
    ...ofBalancer.map((identity) => ({ type: customType(identity), selection: { namespace: system } })),
    { type: customType(api.contourConfiguration), selection: { namespace: ingress } },
    { type: configMapType, selection: { namespace: ingress, fieldSelector: 'metadata.name=contour' } },
  ]
  return [
    ...listed.map((one) => ({ ...one, name: one.type.kind })),
    { name: systemConfigMaps, type: configMapType, selection: { namespace: system } },
  ]
}
