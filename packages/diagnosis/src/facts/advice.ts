/**
 * What to do about each reason code. The codes of the allocator and of the speakers are complete by their types; of the
 * others those stand here about which there is more to say than their message does.
 */
import { splitKey } from '@landfall/kube/model'
import type { RefusalReason } from '@landfall/lb/allocation'
import type { ReasonCode } from '@landfall/speaker/reasons'
import type { Places } from '../observed.ts'

/** What it is about, and where Landfall runs. */
export interface About {
  readonly kind: string
  /** `namespace/name`, or `name`. */
  readonly name: string
  readonly places: Places
}

const blanks = ['edit', 'kind', 'namespace', 'name', 'system'] as const

type Blank = (typeof blanks)[number]

const ofAllocation: Readonly<Record<RefusalReason, string>> = {
  NoPools:
    'Write addresses of your own into examples/layer2.yaml, then: kubectl apply -f examples/layer2.yaml',
  NoClusterIPs:
    'A headless Service cannot be of type LoadBalancer: kubectl -n {namespace} delete service {name}, and apply it again without clusterIP: None.',
  NotEnoughClusterIPs: `The cluster has one address family: kubectl -n {namespace} patch service {name} --type=merge -p '{"spec":{"ipFamilyPolicy":"PreferDualStack"}}'`,
  InvalidRequest: 'Correct the address that the Service asks for: {edit}',
  FamilyMismatch: 'Ask for one address of each family that the Service has (spec.ipFamilies): {edit}',
  PoolNotFound:
    'Create the pool, or correct the annotation metallb.io/address-pool of the Service: {edit}; pools that there are: kubectl -n {system} get ipaddresspools',
  PoolRefused:
    'Correct the pool; its condition Valid says what is wrong with it: kubectl -n {system} describe ipaddresspools',
  PoolNotAllowed:
    "Open the pool to the Service (spec.serviceAllocation): kubectl -n {system} edit ipaddresspools; or ask for another pool's address: {edit}",
  AddressNotInPool:
    'Add the address to a pool: kubectl -n {system} edit ipaddresspools; or have the Service ask for one that is in a pool: {edit}',
  AddressAvoided:
    'Ask for another address: {edit}; or set avoidBuggyIPs: false on the pool: kubectl -n {system} edit ipaddresspools',
  AddressInUse:
    'Ask for another address, or let both Services share it (annotation metallb.io/allow-shared-ip): {edit}',
  NoFreeAddress:
    'Add addresses to a pool: kubectl -n {system} edit ipaddresspools; or delete Services of type LoadBalancer that are not needed.',
  PoolRemoved:
    'Bring the pool back, for the Service keeps its address only for a while; pools that there are: kubectl -n {system} get ipaddresspools',
}

const speakers = 'kubectl -n {system} get pods -l component=speaker -o wide'

/** NODES are put in where they are known. */
const ofAnnouncement: Readonly<Record<ReasonCode, string>> = {
  notLoadBalancer: `Give the Service the type LoadBalancer: kubectl -n {namespace} patch service {name} --type=merge -p '{"spec":{"type":"LoadBalancer"}}'`,
  otherLoadBalancerClass: `Leave out spec.loadBalancerClass, which takes a change of type: kubectl -n {namespace} patch service {name} --type=merge -p '{"spec":{"type":"ClusterIP","loadBalancerClass":null}}', then the same with '{"spec":{"type":"LoadBalancer"}}'; or run controller and speakers with that --lb-class: kubectl -n {system} edit deployment/controller daemonset/speaker`,
  noIPAllocated: 'See why the Service has no address: kubectl -n {namespace} describe service {name}',
  invalidIP: `Take the address out of the status, for whoever wrote it is no controller of ours: kubectl -n {namespace} patch service {name} --subresource=status --type=merge -p '{"status":{"loadBalancer":{"ingress":null}}}'`,
  ipNotAllowed:
    'The address is in no pool: add it to one (kubectl -n {system} edit ipaddresspools), or let the controller assign another.',
  noMatchingAdvertisement:
    'Have an L2Advertisement or a BGPAdvertisement select the pool and the Service: kubectl -n {system} edit l2advertisements,bgpadvertisements',
  sharedIPWithServiceSelector:
    'Leave out the serviceSelectors of the L2Advertisement (kubectl -n {system} edit l2advertisements), or do not share the address.',
  conflictingAdvertisements:
    'Give the BGPAdvertisements of the pool one and the same localPref: kubectl -n {system} edit bgpadvertisements',
  noEndpoints: 'Get a pod of the Service ready: kubectl -n {namespace} describe service {name}',
  noLocalEndpoints: `With externalTrafficPolicy: Local a node needs a ready pod: run one there, or use the policy Cluster: kubectl -n {namespace} patch service {name} --type=merge -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'`,
  nodeNetworkUnavailable:
    "Repair the nodes' network (condition NetworkUnavailable): kubectl describe nodes NODES",
  nodeLabeledExcludeBalancers:
    'Remove the label: kubectl label nodes NODES node.kubernetes.io/exclude-from-external-load-balancers-; or run speakers with --ignore-exclude-lb: kubectl -n {system} edit daemonset speaker',
  nodeOutOfService:
    'When the nodes are back, remove the taint: kubectl taint nodes NODES node.kubernetes.io/out-of-service-',
  nodeCordoned: 'Let pods run on a node again: kubectl uncordon NODES',
  notOwner:
    'Let the advertisements (by BGP: the peers) select nodes that exist: kubectl -n {system} edit l2advertisements,bgpadvertisements,bgppeers',
  foreignSpeaker: `End MetalLB's speakers, for while they are ready, Landfall's leave the address to them: kubectl get daemonsets -A -l component=speaker, then kubectl -n NAMESPACE delete daemonset NAME`,
  noMajority: `Bring back the speakers that are missing, or the network between the nodes, for a node that hears too few of the others is silent: ${speakers}`,
  noLivingSpeaker: `Get the speaker ready on a node that may announce the address: ${speakers}`,
  announceFailed:
    'Name an interface that the node has and that has a carrier, or leave out interfaces of the L2Advertisement: kubectl -n {system} edit l2advertisements',
  serviceDeleted: 'The Service is gone.',
}

/** About the peer. ROUTER and PORT are put in where they are known. */
const ofSessions: Readonly<Record<string, string>> = {
  connecting:
    'Wait a moment; if it stays so, see from the node that the peer can be reached: nc -vz ROUTER PORT',
  waitingForPeer:
    'Have the router dial the node, for the peer is passive here; or leave out the annotation metallb.io/passive: {edit}',
  notListening:
    'Leave out the annotation metallb.io/passive: {edit}; or run the speakers with --bgp-listen: kubectl -n {system} edit daemonset speaker',
  connectFailed:
    'See that BGP runs on the router and that no firewall is between: from the node, nc -vz ROUTER PORT',
  connectTimeout:
    'Nothing answers: look at routes and firewalls between the node and the router: from the node, ip route get ROUTER; nc -vz ROUTER PORT',
  connectionClosed:
    'The router hangs up: does it know this neighbor, its address, its AS and its password? What is said here: {edit}',
  neighborUnknown:
    'No router is heard on the interface: does it send router advertisements? From the node: tcpdump -c 5 -n icmp6',
  sourceAddressMissing:
    'Give the node an address as sourceAddress of the BGPPeer says, or correct that: {edit}',
  badPeerAS:
    'Compare AS numbers, spec.peerASN with that of the router, spec.myASN with the one that it expects: {edit}',
  notificationReceived:
    'The router says why it ends the session: compare AS numbers, families and password: {edit}',
  notificationSent: 'What the router says cannot be taken: compare AS numbers, families and timers: {edit}',
  familyNotNegotiated:
    'Turn on the address family for this neighbor on the router; what is asked for here: {edit}',
  noNextHop:
    "Give the node an address of the route's family on the interface of the session; from the node: ip address",
  bfdDown:
    'BFD gets no answer: look at the link to the router (from the node, ping -c 3 ROUTER), and whether the router still runs BFD for this neighbor.',
  speakerSilent: `See to the node and its speaker, for the other speakers do not hear it: kubectl get nodes; ${speakers}`,
  fastBFD:
    'Give the BFDProfile longer intervals or a larger detectMultiplier: kubectl -n {system} edit bfdprofiles; or the speaker more of a core: kubectl -n {system} edit daemonset speaker',
  portInUse:
    "End the other BFD daemon on the node (there: ss -ulpn 'sport = :3784'), or leave out the bfdProfile: {edit}",
  pathTaken: 'Another BGPPeer has BFD with this address: leave the bfdProfile out of one of them: {edit}',
}

const ofConfiguration: Readonly<Record<string, string>> = {
  UnknownPool: 'Create the pool, or correct its name in the advertisement: {edit}',
  UnknownPeer: 'Create the BGPPeer, or correct its name in the advertisement: {edit}',
  OverlappingPool: 'Take the addresses out of one of the two pools: {edit}',
  WrongNamespace:
    'Move the object into the namespace of the controller: kubectl -n {namespace} get {kind} {name} -o yaml | sed "/resourceVersion:/d; s/namespace: {namespace}$/namespace: {system}/" | kubectl create -f -; kubectl -n {namespace} delete {kind} {name}',
  SecretNotFound:
    'Create the Secret that the peer names: kubectl -n {system} create secret generic SECRET --type=kubernetes.io/basic-auth --from-literal=password=PASSWORD',
  UnknownCommunity: 'Define the alias in a Community object, or write it out: {edit}',
  UnknownBFDProfile: 'Create the BFDProfile, or correct its name in the peer: {edit}',
  ConfigMapRules:
    'Create an IPAddressPool, and the objects rule instead of the ConfigMap: write addresses of your own into examples/layer2.yaml, then kubectl apply -f examples/layer2.yaml',
  invalidAnnotation: 'Correct the annotation, for it counts as not written: {edit}',
  routesAggregated:
    'Set aggregationLength: 32 on an advertisement (kubectl -n {system} edit bgpadvertisements), or leave the annotations out: {edit}',
}

const keeping =
  '; until then Envoys keep serving what they had before, and one that starts anew has nothing in its place.'

const ofIngress: Readonly<Record<string, string>> = {
  SecretNotValid:
    'Create the Secret anew (kubectl -n {namespace} create secret tls SECRET --cert=tls.crt --key=tls.key), or correct its name: {edit}',
  DelegationNotPermitted:
    'Create a TLSCertificateDelegation in the namespace of the Secret, or name one of namespace {namespace}: {edit}',
  ServiceUnresolvedReference: 'Create the Service, or correct its name or port in the route: {edit}',
  DuplicateVhost: 'Give one of the two another host name, or include one from the other: {edit}',
  IncludeNotFound: 'Create the included HTTPProxy, or correct its name: {edit}',
  Orphaned: 'Include it from a root HTTPProxy (spec.includes), or give it a virtualhost: {edit}',
  RootProxyNotAllowedInNamespace:
    'Move the root HTTPProxy into a namespace that may hold roots (--root-namespaces of contour serve): kubectl -n {namespace} get httpproxy {name} -o yaml',
  EnvoyRefused: `Change what Envoy names${keeping} To change it: {edit}`,
  RefusedByAPIServer: 'Correct the field: {edit}',
}

const templates: Readonly<Record<string, string>> = {
  ...ofConfiguration,
  ...ofSessions,
  ...ofIngress,
  ...ofAnnouncement,
  ...ofAllocation,
}

export const advisedReasons: readonly string[] = Object.keys(templates)

/** '' where the message says it all. `message`: what it says, where that makes the advice a narrower one. */
export function adviceOn(reason: string, about: About, message = ''): string {
  return filled(templateFor(reason, message), valuesOf(about))
}

function templateFor(reason: string, message: string): string {
  const [, namespace = '', name] = /Secret "([^"/]+)\/([^"]+)" not found/.exec(message) ?? []
  if (reason === 'SecretNotValid' && name !== undefined) {
    return `Create it: kubectl -n ${namespace} create secret tls ${name} --cert=tls.crt --key=tls.key; or correct the name: {edit}`
  }
  const [, own = '', secret] = /there is no Secret ([^/ ]+)\/([^ ]+)/.exec(message) ?? []
  if (reason === 'SecretNotFound' && secret !== undefined) {
    return `Create it: kubectl -n ${own} create secret generic ${secret} --type=kubernetes.io/basic-auth --from-literal=password=PASSWORD; or correct the name: {edit}`
  }
  const [, place, delegated] = /Secret "([^"/]+)\/([^"]+)": certificate delegation/.exec(message) ?? []
  if (reason === 'DelegationNotPermitted' && place !== undefined && delegated !== undefined) {
    return `Delegate it: echo '${delegation(place, delegated)}' | kubectl create -f -; or correct the name: {edit}`
  }
  if (reason === 'EnvoyRefused' && isOfPattern(message)) {
    return `Make the regular expression shorter or simpler${keeping} To change it: {edit}`
  }
  return templates[reason] ?? ''
}

/** `{namespace}` is filled in later, by that of who asks for it. */
function delegation(namespace: string, secretName: string): string {
  return `{"apiVersion":"projectcontour.io/v1","kind":"TLSCertificateDelegation","metadata":{"namespace":"${namespace}","name":"${secretName}"},"spec":{"delegations":[{"secretName":"${secretName}","targetNamespaces":["{namespace}"]}]}}`
}

/** Of no object in particular. */
export function generalAdviceOn(reason: string): string {
  const edit = 'kubectl -n NAMESPACE edit KIND NAME'
  const values = { edit, kind: 'KIND', namespace: 'NAMESPACE', name: 'NAME', system: 'metallb-system' }
  return filled(templateFor(reason, ''), values)
}

function valuesOf({ kind, name: key, places }: About): Readonly<Record<Blank, string>> {
  const { namespace, name } = splitKey(key)
  return { edit: editing(kind, key), kind: kind.toLowerCase(), namespace, name, system: places.system }
}

function filled(template: string, values: Readonly<Record<Blank, string>>): string {
  return blanks.reduce((text, blank) => text.replaceAll(`{${blank}}`, values[blank]), template)
}

/** The command that opens it in an editor. */
export function editing(kind: string, key: string): string {
  const { namespace, name } = splitKey(key)
  const inside = namespace === '' ? '' : ` -n ${namespace}`
  return `kubectl${inside} edit ${kind.toLowerCase()} ${name}`
}

/** Envoy's words on a regular expression that it does not take. */
export function isOfPattern(message: string): boolean {
  return /pattern too large|invalid regex|\bregex\b|compile failed/i.test(message)
}
