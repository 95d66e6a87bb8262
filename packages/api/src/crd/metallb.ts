/** The definitions of the metallb.io kinds. */
import * as identity from '../identity.ts'
import { advertisementStatus, bgpAdvertisementSpec, l2AdvertisementSpec } from '../metallb/advertisements.ts'
import { bfdProfileSpec, bfdProfileStatus } from '../metallb/bfd-profile.ts'
import { bgpPeerSpec, bgpPeerStatus } from '../metallb/bgp-peer.ts'
import { bgpSessionStatusStatus } from '../metallb/bgp-session-status.ts'
import { communitySpec, communityStatus } from '../metallb/community.ts'
import { configurationStateStatus } from '../metallb/configuration-state.ts'
import { ipAddressPoolSpec, ipAddressPoolStatus } from '../metallb/ip-address-pool.ts'
import { emptySpec, serviceBGPStatusStatus, serviceL2StatusStatus } from '../metallb/service-statuses.ts'
import { type CustomResource, column } from './definition.ts'

const pools = [
  column('IPAddressPools', '.spec.ipAddressPools'),
  column('IPAddressPool Selectors', '.spec.ipAddressPoolSelectors'),
]
const nodeSelectors = column('Node Selectors', '.spec.nodeSelectors', 'string', 10)

const ipAddressPool: CustomResource = {
  ...identity.ipAddressPool,
  singular: 'ipaddresspool',
  shortNames: [],
  description: 'Addresses that Services of type LoadBalancer may get.',
  versions: [
    {
      name: 'v1beta1',
      spec: ipAddressPoolSpec,
      specRequired: true,
      status: ipAddressPoolStatus,
      printerColumns: [
        column('Auto Assign', '.spec.autoAssign', 'boolean'),
        column('Avoid Buggy IPs', '.spec.avoidBuggyIPs', 'boolean'),
        column('Addresses', '.spec.addresses'),
      ],
    },
  ],
}

const l2Advertisement: CustomResource = {
  ...identity.l2Advertisement,
  singular: 'l2advertisement',
  shortNames: [],
  description: 'Announces addresses of pools on the local network, by ARP and NDP.',
  versions: [
    {
      name: 'v1beta1',
      spec: l2AdvertisementSpec,
      specRequired: false,
      status: advertisementStatus,
      printerColumns: [...pools, column('Interfaces', '.spec.interfaces'), nodeSelectors],
    },
  ],
}

const bgpAdvertisement: CustomResource = {
  ...identity.bgpAdvertisement,
  singular: 'bgpadvertisement',
  shortNames: [],
  description: 'Announces addresses of pools to BGP peers.',
  versions: [
    {
      name: 'v1beta1',
      spec: bgpAdvertisementSpec,
      specRequired: false,
      status: advertisementStatus,
      printerColumns: [...pools, column('Peers', '.spec.peers'), nodeSelectors],
    },
  ],
}

const peerVersion = {
  spec: bgpPeerSpec,
  specRequired: true,
  status: bgpPeerStatus,
  printerColumns: [
    column('Address', '.spec.peerAddress'),
    column('ASN', '.spec.peerASN'),
    column('BFD Profile', '.spec.bfdProfile'),
    column('Multi Hops', '.spec.ebgpMultiHop'),
    column('Sessions', '.status.sessions'),
    column('Down', '.status.conditions[?(@.type=="Established")].message', 'string', 10),
  ],
}

const bgpPeer: CustomResource = {
  ...identity.bgpPeer,
  singular: 'bgppeer',
  shortNames: [],
  description: 'A router that routes to the addresses are announced to.',
  versions: [
    { name: 'v1beta1', ...peerVersion, deprecationWarning: 'v1beta1 is deprecated, please use v1beta2' },
    { name: 'v1beta2', ...peerVersion },
  ],
}

const bfdProfile: CustomResource = {
  ...identity.bfdProfile,
  singular: 'bfdprofile',
  shortNames: [],
  description: 'Timing of failure detection on a BGP session.',
  versions: [
    {
      name: 'v1beta1',
      spec: bfdProfileSpec,
      specRequired: false,
      status: bfdProfileStatus,
      printerColumns: [
        column('Passive Mode', '.spec.passiveMode', 'boolean'),
        column('Transmit Interval', '.spec.transmitInterval', 'integer'),
        column('Receive Interval', '.spec.receiveInterval', 'integer'),
        column('Multiplier', '.spec.detectMultiplier', 'integer'),
      ],
    },
  ],
}

const community: CustomResource = {
  ...identity.community,
  singular: 'community',
  shortNames: [],
  description: 'Names for BGP communities.',
  versions: [
    {
      name: 'v1beta1',
      spec: communitySpec,
      specRequired: false,
      status: communityStatus,
      printerColumns: [],
    },
  ],
}

const whichService = [
  column('Service Name', '.status.serviceName'),
  column('Service Namespace', '.status.serviceNamespace'),
]

const whyNot = column('Reason', '.status.reason')

const serviceL2Status: CustomResource = {
  ...identity.serviceL2Status,
  singular: 'servicel2status',
  shortNames: [],
  description: 'Which node answers ARP and NDP for a Service.',
  versions: [
    {
      name: 'v1beta1',
      spec: emptySpec,
      specRequired: false,
      status: serviceL2StatusStatus,
      printerColumns: [column('Allocated Node', '.status.node'), ...whichService, whyNot],
    },
  ],
}

const serviceBGPStatus: CustomResource = {
  ...identity.serviceBGPStatus,
  singular: 'servicebgpstatus',
  shortNames: [],
  description: 'Which peers a node announces a Service to.',
  versions: [
    {
      name: 'v1beta1',
      spec: emptySpec,
      specRequired: false,
      status: serviceBGPStatusStatus,
      printerColumns: [column('Node', '.status.node'), ...whichService, whyNot],
    },
  ],
}

const bgpSessionStatus: CustomResource = {
  ...identity.bgpSessionStatus,
  singular: 'bgpsessionstatus',
  shortNames: [],
  description: "One node's session with a BGPPeer.",
  versions: [
    {
      name: 'v1beta1',
      spec: emptySpec,
      specRequired: false,
      status: bgpSessionStatusStatus,
      printerColumns: [
        column('Node', '.status.node'),
        column('Peer', '.status.peer'),
        column('BGP', '.status.bgpStatus'),
        column('BFD', '.status.bfdStatus'),
        column('Since', '.status.since', 'date'),
        column('Reason', '.status.reason'),
        column('Address', '.status.address', 'string', 10),
        column('Prefixes', '.status.prefixes', 'integer', 10),
        column('Message', '.status.message', 'string', 10),
      ],
    },
  ],
}

const configurationState: CustomResource = {
  ...identity.configurationState,
  singular: 'configurationstate',
  shortNames: [],
  description: 'Whether a component could use every object of the configuration.',
  versions: [
    {
      name: 'v1beta1',
      spec: emptySpec,
      specRequired: false,
      status: configurationStateStatus,
      printerColumns: [
        column('Result', '.status.result'),
        column('ErrorSummary', '.status.errorSummary'),
        column('Age', '.metadata.creationTimestamp', 'date'),
      ],
    },
  ],
}

export const metallbResources: readonly CustomResource[] = [
  bfdProfile,
  bgpAdvertisement,
  bgpPeer,
  bgpSessionStatus,
  community,
  configurationState,
  ipAddressPool,
  l2Advertisement,
  serviceBGPStatus,
  serviceL2Status,
]
