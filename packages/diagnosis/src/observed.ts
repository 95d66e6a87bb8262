/**
 * The objects of a cluster as a diagnosis reads them, at one moment. What could not be read is a gap, which is said and
 * kills nothing: what follows from it is unknown.
 */
import type * as api from '@landfall/api'
import type { Change } from '@landfall/ingress/routing'
import type {
  ConfigMap,
  EndpointSlice,
  KubeObject,
  Namespace,
  Node,
  Secret,
  Service,
} from '@landfall/kube/model'

export interface Gap {
  /** `notInstalled`: the API server knows no such kind. */
  readonly why: 'notInstalled' | 'forbidden' | 'failed'
  readonly message: string
}

export interface Read<T> {
  /** Empty where there is a gap. */
  readonly items: readonly T[]
  readonly gap?: Gap
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  /** Of HTTPProxies and ExtensionServices. */
  readonly errors: readonly SubCondition[]
  readonly warnings: readonly SubCondition[]
}

export interface SubCondition {
  readonly type: string
  readonly reason: string
  readonly message: string
}

/** An object of any kind, for what its conditions say. */
export interface Judged extends KubeObject {
  readonly kind: string
  readonly conditions: readonly Condition[]
}

export interface BalancedService extends Service {
  readonly conditions: readonly Condition[]
  /** Field managers that wrote the addresses in its status, last one last; [] where that is not known. */
  readonly addressWriters: readonly string[]
}

export interface PodFacts extends KubeObject {
  readonly nodeName: string
  readonly podIPs: readonly string[]
  readonly phase: string
  readonly ready: boolean
  readonly images: readonly string[]
  /** Of all its containers, one after the other. */
  readonly arguments: readonly string[]
  /** What to edit for another pod, as `Deployment shop`; '' where nothing made it. */
  readonly workload: string
  /** Why it is not ready, as `CrashLoopBackOff: …`; '' where it is, or where nothing is said. */
  readonly trouble: string
}

/** Which program's pods and objects are where. */
export interface Places {
  /** Of controller, speakers and the `metallb.io` objects. */
  readonly system: string
  /** Of `serve` and Envoy. */
  readonly ingress: string
}

export interface Observed {
  readonly places: Places
  readonly pools: Read<api.IPAddressPool>
  readonly l2Advertisements: Read<api.L2Advertisement>
  readonly bgpAdvertisements: Read<api.BGPAdvertisement>
  readonly peers: Read<api.BGPPeer>
  readonly bfdProfiles: Read<api.BFDProfile>
  readonly communities: Read<api.Community>
  /** Of the system's namespace: one of them may rule instead of the objects. */
  readonly configMaps: Read<ConfigMap>
  readonly configurationStates: Read<api.ConfigurationState>
  readonly layer2Reports: Read<api.ServiceL2Status>
  readonly bgpReports: Read<api.ServiceBGPStatus>
  readonly sessions: Read<api.BGPSessionStatus>
  /** Sessions of which the speaker itself said just now how many prefixes it announces: see `sessionKey`. */
  readonly counted: ReadonlySet<string>
  readonly services: Read<BalancedService>
  readonly slices: Read<EndpointSlice>
  readonly nodes: Read<Node>
  readonly namespaces: Read<Namespace>
  readonly pods: Read<PodFacts>
  readonly secrets: Read<Secret>
  readonly ingresses: Read<KubeObject>
  readonly proxies: Read<api.HTTPProxy>
  /** Every custom resource that has conditions. */
  readonly judged: Read<Judged>
  /** What translation reads, as if it all had come just now. */
  readonly changes: readonly Change[]
  /** What could not be read, by the name of its kind. */
  readonly gaps: ReadonlyMap<string, Gap>
}
