/**
 * What a program needs to read and write a custom resource: its names. The schemas stay out of the programs:
 * they are wanted only where the definitions are written (`@landfall/api/crd`).
 */

export interface ResourceIdentity {
  readonly group: string
  /** The version that programs speak: the stored one. */
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
}

function metallb(version: string, kind: string, plural: string): ResourceIdentity {
  return { group: 'metallb.io', version, kind, plural, namespaced: true }
}

function projectcontour(version: string, kind: string, plural: string): ResourceIdentity {
  return { group: 'projectcontour.io', version, kind, plural, namespaced: true }
}

export const ipAddressPool = metallb('v1beta1', 'IPAddressPool', 'ipaddresspools')
export const l2Advertisement = metallb('v1beta1', 'L2Advertisement', 'l2advertisements')
export const bgpAdvertisement = metallb('v1beta1', 'BGPAdvertisement', 'bgpadvertisements')
export const bgpPeer = metallb('v1beta2', 'BGPPeer', 'bgppeers')
export const bfdProfile = metallb('v1beta1', 'BFDProfile', 'bfdprofiles')
export const community = metallb('v1beta1', 'Community', 'communities')
export const serviceL2Status = metallb('v1beta1', 'ServiceL2Status', 'servicel2statuses')
export const serviceBGPStatus = metallb('v1beta1', 'ServiceBGPStatus', 'servicebgpstatuses')
export const bgpSessionStatus = metallb('v1beta1', 'BGPSessionStatus', 'bgpsessionstatuses')
export const configurationState = metallb('v1beta1', 'ConfigurationState', 'configurationstates')
export const httpProxy = projectcontour('v1', 'HTTPProxy', 'httpproxies')
export const tlsCertificateDelegation = projectcontour(
  'v1',
  'TLSCertificateDelegation',
  'tlscertificatedelegations',
)
export const extensionService = projectcontour('v1alpha1', 'ExtensionService', 'extensionservices')
export const contourConfiguration = projectcontour(
  'v1alpha1',
  'ContourConfiguration',
  'contourconfigurations',
)
