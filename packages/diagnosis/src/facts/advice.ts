/**
 * What to do about each reason code. The codes of the allocator and of the speakers are complete by their types; of the
 * others those stand here about which there is more to say than their message does.
 */
import type { RefusalReason } from '@landfall/lb/allocation'
import type { ReasonCode } from '@landfall/speaker/reasons'

const ofAllocation: Readonly<Record<RefusalReason, string>> = {
  NoPools: 'Create an IPAddressPool in the namespace of the controller (examples/layer2.yaml).',
  NoClusterIPs: 'A headless Service cannot be of type LoadBalancer: leave out clusterIP: None.',
  NotEnoughClusterIPs: 'The cluster has one address family: use PreferDualStack or SingleStack.',
  InvalidRequest: 'Correct the address that the Service asks for.',
  FamilyMismatch: 'Ask for one address of each family that the Service has (spec.ipFamilies).',
  PoolNotFound: 'Create the pool, or correct the annotation metallb.io/address-pool of the Service.',
  PoolRefused: 'Correct the pool: its condition Valid says what is wrong with it.',
  PoolNotAllowed: "Open the pool to the Service (spec.serviceAllocation), or ask for another pool's address.",
  AddressNotInPool: 'Add the address to a pool, or ask for one that is in a pool.',
  AddressAvoided: 'Ask for another address, or set avoidBuggyIPs: false on the pool.',
  AddressInUse:
    'Ask for another address, or let both Services share it (annotation metallb.io/allow-shared-ip).',
  NoFreeAddress: 'Add addresses to a pool, or delete Services of type LoadBalancer that are not needed.',
  PoolRemoved: 'Bring the pool back: the Service keeps its address only for a while.',
}

const ofAnnouncement: Readonly<Record<ReasonCode, string>> = {
  notLoadBalancer: 'Give the Service the type LoadBalancer.',
  otherLoadBalancerClass:
    'Leave out spec.loadBalancerClass, or run controller and speakers with that --lb-class.',
  noIPAllocated: 'See why the Service has no address.',
  invalidIP: 'Take the address out of the status: whoever wrote it is no controller of ours.',
  ipNotAllowed: 'The address is in no pool: add it to one, or let the controller assign another.',
  noMatchingAdvertisement:
    'Create an L2Advertisement or a BGPAdvertisement that selects the pool and the Service.',
  sharedIPWithServiceSelector:
    'Leave out the serviceSelectors of the L2Advertisement, or do not share the address.',
  conflictingAdvertisements: 'Give the BGPAdvertisements of the pool one and the same localPref.',
  noEndpoints: 'Get a pod of the Service ready: look at its selector and at its pods.',
  noLocalEndpoints:
    'With externalTrafficPolicy: Local a node needs a ready pod: run one there, or use the policy Cluster.',
  nodeNetworkUnavailable: "Repair the nodes' network (condition NetworkUnavailable).",
  nodeLabeledExcludeBalancers:
    'Remove the label node.kubernetes.io/exclude-from-external-load-balancers from a node, or run speakers with --ignore-exclude-lb.',
  nodeOutOfService: 'Remove the taint node.kubernetes.io/out-of-service when the nodes are back.',
  nodeCordoned: 'kubectl uncordon a node.',
  notOwner: 'Let the advertisements (by BGP: the peers) select nodes that exist.',
  foreignSpeaker: "End MetalLB's speakers: while they are ready, Landfall's leave the address to them.",
  noMajority:
    'Bring back the speakers that are missing, or the network between the nodes: a side without a majority is silent.',
  noLivingSpeaker: 'Get the speaker ready on a node that may announce the address.',
  announceFailed: 'Name an interface that the node has, or leave out interfaces of the L2Advertisement.',
  serviceDeleted: 'The Service is gone.',
}

const ofSessions: Readonly<Record<string, string>> = {
  connecting: 'Wait a moment; if it stays so, see that the peer can be reached from the node.',
  waitingForPeer: 'Have the router dial the node: the peer is passive here.',
  notListening:
    'Run the speakers with --bgp-listen, or let the node dial: drop the annotation metallb.io/passive.',
  connectFailed:
    'See that BGP runs on the router and that no firewall is between: from the node, nc -vz ROUTER 179.',
  connectTimeout: 'Nothing answers: look at routes and firewalls between the node and the router.',
  connectionClosed: 'The router hangs up: does it know this neighbor, its address, its AS and its password?',
  neighborUnknown: 'No router is heard on the interface: does it send router advertisements?',
  sourceAddressMissing: 'Give the node an address as sourceAddress of the BGPPeer says, or correct that.',
  badPeerAS:
    'Compare AS numbers: spec.peerASN of the BGPPeer with that of the router, spec.myASN with the one that it expects.',
  notificationReceived: 'The router says why it ends the session: compare AS numbers, families and password.',
  notificationSent: 'What the router says cannot be taken: compare AS numbers, families and timers.',
  familyNotNegotiated: 'Turn on the address family for this neighbor on the router.',
  noNextHop: "Give the node an address of the route's family on the interface of the session.",
  bfdDown:
    'BFD gets no answer: look at the link to the router, and whether the router still runs BFD for this neighbor.',
  speakerSilent: 'See to the node and its speaker: the other speakers do not hear it.',
  fastBFD:
    'Give the BFDProfile longer intervals or a larger detectMultiplier, or the speaker more of a core.',
  portInUse: 'End the other BFD daemon on the node, or leave out the bfdProfile.',
  pathTaken: 'Another BGPPeer has BFD with this address: leave the bfdProfile out of one of them.',
}

const ofConfiguration: Readonly<Record<string, string>> = {
  UnknownPool: 'Create the pool, or correct its name in the advertisement.',
  UnknownPeer: 'Create the BGPPeer, or correct its name in the advertisement.',
  OverlappingPool: 'Take the addresses out of one of the two pools.',
  WrongNamespace: 'Move the object into the namespace of the controller.',
  SecretNotFound: 'Create the Secret that the peer names.',
  UnknownCommunity: 'Define the alias in a Community object, or write it out.',
  UnknownBFDProfile: 'Create the BFDProfile, or correct its name in the peer.',
  ConfigMapRules: 'Create an IPAddressPool, and the objects rule instead of the ConfigMap.',
  invalidAnnotation: 'Correct the annotation: it counts as not written.',
  routesAggregated: 'Set aggregationLength: 32 on an advertisement, or leave the annotations out.',
}

const keeping =
  '; until then Envoys keep serving what they had before, and one that starts anew has nothing in its place.'

const ofIngress: Readonly<Record<string, string>> = {
  SecretNotValid: 'Create the Secret (kubectl create secret tls NAME --cert=… --key=…), or correct its name.',
  DelegationNotPermitted: 'Create a TLSCertificateDelegation in the namespace of the Secret.',
  ServiceUnresolvedReference: 'Create the Service, or correct its name or port in the route.',
  DuplicateVhost: 'Give one of the two another host name, or include one from the other.',
  IncludeNotFound: 'Create the included HTTPProxy, or correct its name.',
  Orphaned: 'Include it from a root HTTPProxy (spec.includes), or give it a virtualhost.',
  RootProxyNotAllowedInNamespace: 'Move the root HTTPProxy into a namespace that may hold roots.',
  EnvoyRefused: `Change what Envoy names${keeping}`,
  RefusedByAPIServer: 'Correct the field.',
}

/** '' where the message says it all. `message`: what it says, where that makes the advice a narrower one. */
export function adviceOn(reason: string, message = ''): string {
  const [, namespace = '', name] = /Secret "([^"/]+)\/([^"]+)" not found/.exec(message) ?? []
  if (reason === 'SecretNotValid' && name !== undefined) {
    return `Create it: kubectl -n ${namespace} create secret tls ${name} --cert=tls.crt --key=tls.key; or correct the name.`
  }
  if (reason === 'EnvoyRefused' && isOfPattern(message)) {
    return `Make the regular expression shorter or simpler${keeping}`
  }
  const all: Readonly<Record<string, string>> = {
    ...ofConfiguration,
    ...ofSessions,
    ...ofIngress,
    ...ofAnnouncement,
    ...ofAllocation,
  }
  return all[reason] ?? ''
}

/** Envoy's words on a regular expression that it does not take. */
export function isOfPattern(message: string): boolean {
  return /pattern too large|invalid regex|\bregex\b|compile failed/i.test(message)
}
