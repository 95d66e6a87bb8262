/**
 * What each reason code means, and what to do where `landfall status` and `trace` have no advice of their own for it. Codes
 * with a comment beside them in the code mean what that says.
 */
import { ingressMeanings, type Meaning } from './ingress-meanings.ts'

const allocation: Readonly<Record<string, Meaning>> = {
  NoPools: ['There is no pool.'],
  NoClusterIPs: ['The Service has no cluster address, so that nothing could be passed on to it.'],
  NotEnoughClusterIPs: ['The Service requires both families and has a cluster address of one.'],
  InvalidRequest: ['What the Service asks for is no address, or asks twice in ways that differ.'],
  FamilyMismatch: ['The addresses asked for are not of the families of the Service.'],
  PoolNotFound: ['The Service asks for a pool that does not exist.'],
  PoolRefused: ['The Service asks for a pool that is left out because it is invalid.'],
  PoolNotAllowed: ['The pool is not for this Service: its namespace or its labels are not selected.'],
  AddressNotInPool: ['The address asked for is in no pool that the Service may use.'],
  AddressAvoided: ['The address asked for ends in .0 or .255, and its pool avoids these.'],
  AddressInUse: ['Another Service has the address asked for, and does not share it.'],
  NoFreeAddress: ['Every address of the pools that the Service may use is taken.'],
  PoolRemoved: ['The pool of the address that the Service holds is gone.'],
}

const announcement: Readonly<Record<string, Meaning>> = {
  notLoadBalancer: ['The Service is not of type LoadBalancer.'],
  otherLoadBalancerClass: ['The Service is of a class that these programs do not take.'],
  noIPAllocated: ['The Service has no address to announce.'],
  invalidIP: ['What stands in the status of the Service is no address.'],
  ipNotAllowed: ['The Service holds an address that no pool has, or that its pool does not allow it.'],
  noMatchingAdvertisement: ['No advertisement is for the pool, the node and the Service.'],
  sharedIPWithServiceSelector: [
    'Services that share the address are selected by one advertisement and not by another.',
  ],
  conflictingAdvertisements: ['Two advertisements want one route with different preferences.'],
  noEndpoints: ['No pod of the Service is ready.'],
  noLocalEndpoints: ['No pod of the Service is ready on this node, and its traffic policy is Local.'],
  nodeNetworkUnavailable: ['The node says that its network does not work.'],
  nodeLabeledExcludeBalancers: ['A label keeps the node out of load balancing.'],
  serviceDeleted: ['The Service was deleted.'],
}

const objects: Readonly<Record<string, Meaning>> = {
  WrongNamespace: ['The object is in a namespace where nobody reads it.'],
  MissingField: ['A field that is needed is missing.', 'Add the field that the message names.'],
  InvalidValue: ['A field has a value that it cannot have.', 'Correct the field that the message names.'],
  InvalidAddress: [
    'What is to be an address, a prefix or a range is none.',
    'Write it as 192.0.2.1, 192.0.2.0/28 or 192.0.2.1-192.0.2.9.',
  ],
  InvalidSelector: [
    'A selector of labels cannot be read.',
    'Correct its key, operator or values: the message names them.',
  ],
  DuplicateValue: ['A list has the same value twice.', 'Delete one of the two.'],
  ConflictingFields: [
    'Two fields of the object exclude each other.',
    'Leave out one of those that the message names.',
  ],
  NotSupported: [
    'The field, or its value, is valid and Landfall does not do it.',
    'Leave it out, or do it the way that the message names.',
  ],
  OverlappingPool: ['The pool has addresses of an older pool.'],
  AggregationTooShort: [
    'The aggregate would reach beyond the addresses of the pool, and draw traffic of others.',
    'Raise aggregationLength (aggregationLengthV6) to at least the length of the pool’s prefixes.',
  ],
  ConflictingAdvertisement: [
    'Another advertisement announces the same routes with another localPref.',
    'Give both the same localPref, or other pools, peers or nodes.',
  ],
  UnknownCommunity: ['The advertisement names a community that nothing defines.'],
  UnknownBFDProfile: ['The peer names a BFDProfile that does not exist.'],
  DuplicateCommunity: [
    'An older Community defines the same alias.',
    'Rename the alias, or delete one of the two.',
  ],
  DuplicatePeer: [
    'An older BGPPeer is the same neighbor on the same nodes.',
    'Delete one of the two, or let their nodeSelectors select different nodes.',
  ],
  SecretNotFound: ['The Secret with the password of the peer does not exist.'],
  InvalidSecret: [
    'The Secret with the password of the peer is of another type, or has no usable password.',
    'Make it of type kubernetes.io/basic-auth with a key password.',
  ],
  InvalidYAML: ['The ConfigMap is no YAML.', 'Correct the line that the message names.'],
  UnknownField: [
    'The ConfigMap has a key that no release knew.',
    'Correct its spelling or its place, or delete it.',
  ],
  DropsAddressInUse: [
    'The ConfigMap has no pool any more for an address that a Service holds; the one before stays in force.',
    'Put the address back into a pool, or delete the Service first.',
  ],
  UnknownPool: ['The advertisement names a pool that does not exist; it holds for the others.'],
  UnknownPeer: ['The advertisement names a peer that does not exist; it holds for the others.'],
  ConfigMapRules: [
    'There is no IPAddressPool, so that the ConfigMap rules and these objects count for nothing.',
  ],
  invalidAnnotation: ['An annotation of the Service about its BGP routes has a value that it cannot have.'],
  routesAggregated: [
    'Annotations of the Service about its BGP routes have no effect, as its routes go out in an aggregate.',
  ],
}

const sessions: Readonly<Record<string, Meaning>> = {
  familyNotNegotiated: ['The router did not agree to carry routes of this family.'],
  noNextHop: ['The node has no address of the route’s family that the router could send to.'],
  attributesTooLong: [
    'The path attributes of the route do not fit into one BGP message.',
    'Have the advertisements give it fewer communities.',
  ],
  abandoned: [
    'The speaker ended the session: the peer was deleted or changed, or the speaker ends.',
    'Nothing; a changed peer is dialled anew.',
  ],
  addressMissing: [
    'The node has no address from which BFD could speak to this peer.',
    'Give the interface of the session an address, or leave out the bfdProfile.',
  ],
  badPeerAS: ['Router and node disagree about an AS number.'],
  bfdDown: ['BFD lost the router, so that there is no session until it is found again.'],
  connectFailed: ['The connection to the router cannot be made; the message is the system’s.'],
  connectTimeout: ['The router does not answer: it is not there, a firewall drops, or the password differs.'],
  connecting: ['The first attempt is under way.'],
  connectionClosed: ['The router closed the connection without a word.'],
  fastBFD: ['The intervals of BFD are shorter than this speaker can keep to.'],
  neighborUnknown: ['The peer is to be found on an interface, and no router is heard there.'],
  notListening: ['The peer is to dial, and this speaker does not listen.'],
  notificationReceived: ['The router ended the session, or refused it, with a reason.'],
  notificationSent: ['This node ended the session, or refused it, with a reason.'],
  pathTaken: ['Another peer has BFD with the same address.'],
  portInUse: ['Another program on the node has the port of BFD.'],
  sessionDown: [
    'The session is down, and only the metric of the speaker says so.',
    'See the log of that speaker.',
  ],
  socketFailed: ['The system gives BFD no socket.', 'The log of the speaker has the error of the system.'],
  sourceAddressMissing: ['The node does not have the source address that the peer asks for.'],
  speakerSilent: ['The other speakers do not hear the one of this node, so that its sessions are not known.'],
  waitingForPeer: ['The router is to dial, and has not yet.'],
}

const diagnosis: Readonly<Record<string, Meaning>> = {
  addressOfAnother: [
    'The name leads to the address of another Service than that of Envoy, which serves the host.',
    'Have the DNS give the address of Envoy’s Service.',
  ],
  addressOfNobody: [
    'The name leads to an address that no Service of type LoadBalancer has.',
    'Have the DNS give the address of Envoy’s Service; if a router passes it on, trace with --address.',
  ],
  addressOverwritten: [
    'Another program writes addresses into the status of the Service.',
    'End the other load balancer (k3s: --disable=servicelb), or give the Service its class.',
  ],
  addressTwice: [
    'Two Services of different load balancers hold one address.',
    'Take the address out of the pools of one of the two; the message names who wrote it, and pods of other load balancers.',
  ],
  answeredAllTheSame: [
    'The request was answered though a step is broken: by what Envoys or routers still know, or by another way.',
    'Mend the broken step all the same.',
  ],
  anotherServer: [
    'What answers at the address is not Envoy.',
    'Look for another host with the address (trace says its MAC address on the LAN, arping shows two), or a proxy on the way.',
  ],
  answersItself: [
    'The route answers with an error of its own, without a backend.',
    'Change the route if that is not meant.',
  ],
  certificateNotTrusted: [
    'Your machine does not trust the certificate, or it is for another name.',
    'Have it signed by an authority that clients know, for this name.',
  ],
  configDeprecated: [
    'The ConfigMap uses what later releases write otherwise; it still counts.',
    'Write it as the message says.',
  ],
  configMapNotUsed: [
    'There is an IPAddressPool, so that the objects rule and the ConfigMap counts for nothing.',
    'Delete the ConfigMap when nobody goes back to it.',
  ],
  envoyBehind: [
    'Envoys do not have what serve wants of them: an older version, or nothing yet.',
    'Trace again: it takes a moment. If it stays so, look for responseRefused and streamClosed in the log of contour.',
  ],
  envoyDraining: [
    'The Envoy takes no new connections, as it ends.',
    'Nothing, if its pod is being replaced.',
  ],
  envoyNotConnected: [
    'The Envoy has no connection to serve, and goes on with what it has.',
    'See that contour is ready, and that the certificates of xDS fit (certificates.md).',
  ],
  envoyWarming: [
    'Listeners or clusters of the Envoy wait for a certificate or for endpoints.',
    'If it stays so, look for resourceRefused and objectInvalid in the log of contour.',
  ],
  hostUnknown: ['No Ingress and no HTTPProxy names the host.', 'Create one, or correct the name.'],
  manyFilterChains: [
    'There are more than 1,000 filter chains, which makes a new certificate slow.',
    'Have Envoys fetch certificates: tls.certificates: on-demand (configuration.md).',
  ],
  nameNotResolved: [
    'The DNS of your machine does not know the name.',
    'Add the name to the DNS, or try with curl --resolve.',
  ],
  noAddress: [
    'The Service in front of Envoy has no address, and nobody says why.',
    'See whether the controller runs.',
  ],
  noController: ['No controller of Landfall is installed.', 'kubectl apply -f manifests/metallb.yaml'],
  noDefaultHost: [
    'The request has no name, and no virtual host takes such requests.',
    'Ask by name, or define an Ingress without a host.',
  ],
  noEndpointSlice: [
    'Pods of the Service are ready, and no EndpointSlice has them.',
    'See whether kube-controller-manager runs.',
  ],
  noEntry: [
    'There is no Service of type LoadBalancer in front of Envoy.',
    'Install the ingress, or name it with --envoy-service.',
  ],
  noPodReady: [
    'None of the pods of the program is ready.',
    'kubectl describe one of them, and read its logs.',
  ],
  noPods: ['There is no pod of the program.', 'Look at its Deployment or DaemonSet with kubectl describe.'],
  noRoute: [
    'The host is served, and none of its routes takes the request.',
    'Add a route, or correct the URL.',
  ],
  noSelector: [
    'The Service has no selector, and nobody gave it endpoints.',
    'Give it a selector, or keep its EndpointSlices.',
  ],
  noSession: [
    'No speaker has a session with the peer.',
    'Look at its nodeSelectors, and at where speakers run.',
  ],
  noSessionUp: [
    'Every BGP session that should carry the address is down.',
    'landfall status says why each is.',
  ],
  noSpeaker: [
    'No speaker runs on the node, which therefore announces nothing.',
    'See what keeps the DaemonSet speaker away: a taint, a nodeSelector.',
  ],
  noTLS: ['The host is served without TLS alone.', 'Give it a certificate, or use http://.'],
  noVirtualHost: [
    'No valid host needs the port, so that Envoy does not open it.',
    'See why your host is not served: hostUnknown, or a refusal.',
  ],
  notAnswered: [
    'The Service has no address, and no controller has said why.',
    'See whether the controller runs.',
  ],
  notInstalled: [
    'The kind is not defined in the cluster.',
    'Install its definitions, if you want it: the manifests have them.',
  ],
  notReadable: ['What the step needs cannot be read.', 'Grant the right that the message names.'],
  notReconciled: [
    'No replica of serve has looked at the object in its newest form.',
    'See that contour is ready and that one leads.',
  ],
  notReported: ['No speaker has reported that it announces the address.', 'See whether the speakers run.'],
  onlyTLS: ['The host is served over TLS alone.', 'Use https://.'],
  otherIngressClass: [
    'The object is of an ingress class that serve does not take.',
    'Correct spec.ingressClassName, or run serve with --ingress-class-name.',
  ],
  podNotReady: ['One pod of the program is not ready.', 'kubectl describe it, and read its logs.'],
  podsNotReady: [
    'No pod of the Service is ready.',
    'Do what the words of the kubelet in the message call for.',
  ],
  portNotServed: ['The Service has no such port.', 'Use one of its ports, or add the port.'],
  portWithoutEndpoints: [
    'The port of the Service names a port of its pods that no container has.',
    'Use the number as targetPort, or name the port in the pod.',
  ],
  portWithoutListener: [
    'The port of the Service leads to a port of Envoy where nothing listens.',
    'Correct targetPort, or --envoy-service-http(s)-port of serve.',
  ],
  selectorMatchesNothing: [
    'The selector of the Service fits no pod.',
    'Correct the selector, or the labels of the pods.',
  ],
  someSessionsDown: [
    'Some of the BGP sessions that should carry the address are down; traffic comes in over the others.',
    'landfall status says why each is.',
  ],
  twoAnnouncers: [
    'Two nodes say that they answer for the address.',
    'If it stays so, see whether the speakers reach each other on port 7946.',
  ],
  wrongScheme: ['The port is that of the other scheme.', 'Use the scheme that the message names.'],
}

export const meanings: Readonly<Record<string, Meaning>> = {
  ...allocation,
  ...announcement,
  ...objects,
  ...sessions,
  ...diagnosis,
  ...ingressMeanings,
}
