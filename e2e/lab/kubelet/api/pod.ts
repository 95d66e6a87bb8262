// The part of core/v1 Pod, ConfigMap and Secret that the process kubelet reads, as the API server
// sends it (JSON, no class). Fields that the lab does not act on are left out.

export interface ObjectMeta {
  readonly name: string
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
}

export interface Pod {
  readonly metadata: ObjectMeta
  readonly spec: PodSpec
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

export interface PodSpec {
  readonly nodeName?: string
  readonly serviceAccountName?: string
  readonly hostNetwork?: boolean
  readonly hostname?: string
  readonly subdomain?: string
  readonly dnsPolicy?: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None'
  readonly dnsConfig?: DnsConfig
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[]
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  readonly terminationGracePeriodSeconds?: number
  readonly readinessGates?: readonly { readonly conditionType: string }[]
  readonly securityContext?: PodSecurityContext
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly Volume[]
}

export interface DnsConfig {
  readonly nameservers?: readonly string[]
  readonly searches?: readonly string[]
  readonly options?: readonly { readonly name: string; readonly value?: string }[]
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly ports?: readonly ContainerPort[]
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly EnvFrom[]
  readonly resources?: Resources
  readonly volumeMounts?: readonly VolumeMount[]
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
  readonly lifecycle?: { readonly postStart?: Action; readonly preStop?: Action }
  readonly restartPolicy?: 'Always'
  readonly securityContext?: SecurityContext
  readonly terminationMessagePath?: string
  readonly terminationMessagePolicy?: 'File' | 'FallbackToLogsOnError'
}

export interface ContainerPort {
  readonly name?: string
  readonly containerPort: number
  readonly hostPort?: number
  readonly hostIP?: string
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
}

export interface Resources {
  readonly limits?: Readonly<Record<string, string>>
  readonly requests?: Readonly<Record<string, string>>
}

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly fieldRef?: FieldRef
    readonly resourceFieldRef?: ResourceFieldRef
    readonly secretKeyRef?: KeyRef
    readonly configMapKeyRef?: KeyRef
  }
}

export interface EnvFrom {
  readonly prefix?: string
  readonly secretRef?: { readonly name: string; readonly optional?: boolean }
  readonly configMapRef?: { readonly name: string; readonly optional?: boolean }
}

export interface FieldRef {
  readonly fieldPath: string
}

export interface ResourceFieldRef {
  readonly containerName?: string
  readonly resource: string
  readonly divisor?: string
}

export interface KeyRef {
  readonly name: string
  readonly key: string
  readonly optional?: boolean
}

export interface PodSecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly fsGroup?: number
  readonly supplementalGroups?: readonly number[]
  readonly sysctls?: readonly { readonly name: string; readonly value: string }[]
}

export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
}

export interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
  readonly subPathExpr?: string
  readonly readOnly?: boolean
}

export interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}

export interface DownwardFile {
  readonly path: string
  readonly mode?: number
  readonly fieldRef?: FieldRef
  readonly resourceFieldRef?: ResourceFieldRef
}

export interface ProjectedSource {
  readonly secret?: {
    readonly name: string
    readonly items?: readonly KeyToPath[]
    readonly optional?: boolean
  }
  readonly configMap?: {
    readonly name: string
    readonly items?: readonly KeyToPath[]
    readonly optional?: boolean
  }
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[] }
  readonly serviceAccountToken?: {
    readonly path: string
    readonly audience?: string
    readonly expirationSeconds?: number
  }
}

export interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string }
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly secret?: {
    readonly secretName: string
    readonly items?: readonly KeyToPath[]
    readonly defaultMode?: number
    readonly optional?: boolean
  }
  readonly configMap?: {
    readonly name: string
    readonly items?: readonly KeyToPath[]
    readonly defaultMode?: number
    readonly optional?: boolean
  }
  readonly downwardAPI?: { readonly items?: readonly DownwardFile[]; readonly defaultMode?: number }
  readonly projected?: { readonly sources?: readonly ProjectedSource[]; readonly defaultMode?: number }
}

export interface Probe extends Action {
  readonly grpc?: { readonly port: number; readonly service?: string }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  readonly terminationGracePeriodSeconds?: number
}

export interface Action {
  readonly exec?: { readonly command?: readonly string[] }
  readonly httpGet?: HttpGet
  readonly tcpSocket?: { readonly host?: string; readonly port: number | string }
  readonly sleep?: { readonly seconds: number }
}

export interface HttpGet {
  readonly path?: string
  readonly port: number | string
  readonly host?: string
  readonly scheme?: 'HTTP' | 'HTTPS'
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface ConfigMap {
  readonly metadata: ObjectMeta
  readonly data?: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
}

export interface Secret {
  readonly metadata: ObjectMeta
  readonly data?: Readonly<Record<string, string>>
}
