// The command lines of the control plane and of kube-proxy. Pure.
import { join } from 'node:path'
import { apiPort, type Host, podNetwork, serviceNetwork } from '../topology/topology.ts'

export interface ControlPlanePaths {
  readonly control: string
  readonly etcd: string
}

export interface ControlPlaneSettings {
  /** How long a silent node keeps its endpoints. */
  readonly nodeMonitorGraceSeconds: number
  /** Writes every request's metadata to `control/audit.log`. */
  readonly audit: boolean
}

export const files = {
  ca: 'ca.crt',
  serverCertificate: 'apiserver.crt',
  serverKey: 'apiserver.key',
  accountKey: 'service-accounts.key',
  accountPublicKey: 'service-accounts.pub',
  tokens: 'tokens.csv',
  auditPolicy: 'audit-policy.json',
  auditLog: 'audit.log',
} as const

export function kubeconfigName(identity: string): string {
  return `${identity}.kubeconfig`
}

export function etcdFlags(p: ControlPlanePaths): readonly string[] {
  return [
    '--name=lab',
    `--data-dir=${p.etcd}`,
    '--unsafe-no-fsync',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--initial-advertise-peer-urls=http://127.0.0.1:2380',
    '--initial-cluster=lab=http://127.0.0.1:2380',
    '--log-level=warn',
  ]
}

export function apiServerFlags(
  cp: Host,
  p: ControlPlanePaths,
  settings: ControlPlaneSettings,
): readonly string[] {
  const file = (name: keyof typeof files): string => join(p.control, files[name])
  const audit = [`--audit-policy-file=${file('auditPolicy')}`, `--audit-log-path=${file('auditLog')}`]
  return [
    '--etcd-servers=http://127.0.0.1:2379',
    '--bind-address=::',
    `--secure-port=${apiPort}`,
    `--advertise-address=${cp.ipv4}`,
    `--service-cluster-ip-range=${serviceNetwork.ipv4},${serviceNetwork.ipv6}`,
    `--tls-cert-file=${file('serverCertificate')}`,
    `--tls-private-key-file=${file('serverKey')}`,
    `--token-auth-file=${file('tokens')}`,
    '--authorization-mode=RBAC',
    '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('accountPublicKey')}`,
    '--kubelet-preferred-address-types=InternalIP', // for logs; a node's name resolves nowhere
    `--service-account-signing-key-file=${file('accountKey')}`,
    '--enable-aggregator-routing=true', // webhooks go to pod addresses: the control plane has no kube-proxy
    '--max-mutating-requests-inflight=1000',
    '--max-requests-inflight=2000',
    ...(settings.audit ? audit : []),
  ]
}

/** Everything but reads of the control plane's own parts, metadata only. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', userGroups: ['system:masters'] },
    {
      level: 'None',
      users: ['system:kube-controller-manager', 'system:kube-scheduler', 'system:kube-proxy'],
    },
    { level: 'Metadata' },
  ],
}

export function controllerManagerFlags(
  p: ControlPlanePaths,
  settings: ControlPlaneSettings,
): readonly string[] {
  return [
    `--kubeconfig=${join(p.control, kubeconfigName('controller-manager'))}`,
    '--use-service-account-credentials=true',
    `--root-ca-file=${join(p.control, files.ca)}`, // without it pods get no CA
    `--service-account-private-key-file=${join(p.control, files.accountKey)}`,
    '--allocate-node-cidrs=false',
    '--leader-elect=false',
    `--node-monitor-grace-period=${settings.nodeMonitorGraceSeconds}s`,
    '--bind-address=127.0.0.1',
  ]
}

export function schedulerFlags(p: ControlPlanePaths): readonly string[] {
  return [
    `--kubeconfig=${join(p.control, kubeconfigName('scheduler'))}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
  ]
}

export function kubeProxyFlags(node: Host, p: ControlPlanePaths): readonly string[] {
  return [
    `--kubeconfig=${join(p.control, kubeconfigName('kube-proxy'))}`,
    `--hostname-override=${node.name}`,
    '--proxy-mode=nftables',
    `--cluster-cidr=${podNetwork.ipv4},${podNetwork.ipv6}`,
    '--nodeport-addresses=0.0.0.0/0,::/0',
    '--conntrack-max-per-core=0', // these four sysctls are not writable in a network namespace
    '--conntrack-min=0',
    '--conntrack-tcp-timeout-established=0',
    '--conntrack-tcp-timeout-close-wait=0',
    '--healthz-bind-address=0.0.0.0:10256',
    '--metrics-bind-address=127.0.0.1:10249',
  ]
}
