/** The built-in kinds, projected to the fields that Landfall reads. */
import type { KubeObject } from './meta.ts'

export type Protocol = 'TCP' | 'UDP' | 'SCTP'
export type IPFamily = 'IPv4' | 'IPv6'
export type TrafficPolicy = 'Cluster' | 'Local'

export interface ServicePort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  readonly targetPort: number | string
  readonly nodePort: number
  readonly appProtocol: string
}

export interface LoadBalancerIngress {
  readonly ip?: string
  readonly hostname?: string
  /** Of a Service: how proxies treat the address. Absent: `VIP`, which it is by default. */
  readonly ipMode?: string
}

/** core/v1 Service. Absent strings are '', absent lists are []. */
export interface Service extends KubeObject {
  readonly type: string
  readonly loadBalancerClass: string
  readonly loadBalancerIP: string
  readonly clusterIPs: readonly string[]
  readonly ipFamilies: readonly IPFamily[]
  readonly ipFamilyPolicy: '' | 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
  readonly externalTrafficPolicy: TrafficPolicy
  readonly externalName: string
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly ServicePort[]
  readonly ingress: readonly LoadBalancerIngress[]
}

export interface Endpoint {
  readonly addresses: readonly string[]
  /** `ready`, nil meaning true. */
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly nodeName: string
}

/** discovery.k8s.io/v1 EndpointSlice. */
export interface EndpointSlice extends KubeObject {
  readonly serviceName: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number }[]
  readonly endpoints: readonly Endpoint[]
}

export interface Node extends KubeObject {
  readonly internalIPs: readonly string[]
  readonly ready: boolean
  readonly networkUnavailable: boolean
  /** Cordoned. */
  readonly unschedulable: boolean
  /** Tainted `node.kubernetes.io/out-of-service`: it is shut down, and its pods are to be elsewhere. */
  readonly outOfService: boolean
}

export interface Namespace extends KubeObject {}

/** The data keys that Landfall reads of a Secret, decoded from base64 to bytes. */
export interface Secret extends KubeObject {
  readonly type: string
  readonly data: Readonly<Record<string, Uint8Array>>
}

export interface ConfigMap extends KubeObject {
  readonly data: Readonly<Record<string, string>>
}

export interface Pod extends KubeObject {
  readonly nodeName: string
  readonly podIPs: readonly string[]
  readonly hostIPs: readonly string[]
  /** Of its containers, as written. */
  readonly images: readonly string[]
  readonly phase: string
  readonly ready: boolean
  /** Between the request to end and the kill: of its deletion, once that was asked for, else as written. */
  readonly graceSeconds: number
}

export interface IngressBackend {
  readonly serviceName: string
  readonly port: { readonly number: number; readonly name: string }
}

export interface IngressPath {
  readonly path: string
  readonly pathType: 'Exact' | 'Prefix' | 'ImplementationSpecific'
  /** undefined: a resource backend, which Landfall does not serve. */
  readonly backend: IngressBackend | undefined
}

/** networking.k8s.io/v1 Ingress. */
export interface Ingress extends KubeObject {
  readonly ingressClassName: string
  readonly defaultBackend: IngressBackend | undefined
  readonly tls: readonly { readonly hosts: readonly string[]; readonly secretName: string }[]
  readonly rules: readonly { readonly host: string; readonly paths: readonly IngressPath[] }[]
  readonly ingress: readonly LoadBalancerIngress[]
}
