// Starts the control plane in its namespace and a kube-proxy in each node's, and waits for both.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tryRun } from '../host/command.ts'
import type { Daemons } from '../host/daemon.ts'
import { inNetns } from '../host/netns.ts'
import { isAlive } from '../host/process-table.ts'
import { waitFor } from '../host/wait.ts'
import { apiPort, apiService, type Host, hostNamed, hostsOf, type Topology } from '../topology/topology.ts'
import { makeCertificates } from './certificates.ts'
import {
  apiServerFlags,
  auditPolicy,
  type ControlPlanePaths,
  type ControlPlaneSettings,
  controllerManagerFlags,
  etcdFlags,
  files,
  kubeconfigName,
  kubeProxyFlags,
  schedulerFlags,
} from './flags.ts'
import { apiServerUrl, identities, kubeconfig, tokenFile } from './identities.ts'

export type ControlPlanePart =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'

export interface ControlPlane {
  readonly topology: Topology
  readonly daemons: Daemons
  readonly paths: ControlPlanePaths
  readonly programs: Readonly<Record<ControlPlanePart, string>>
  readonly settings: ControlPlaneSettings
}

export async function writeControlFiles(c: ControlPlane): Promise<void> {
  const cp = hostNamed(c.topology, 'cp')
  mkdirSync(c.paths.control, { recursive: true, mode: 0o700 })
  const write = (name: string, text: string): void =>
    writeFileSync(join(c.paths.control, name), text, { mode: 0o600 })
  const made = await makeCertificates({
    addresses: [cp.ipv4, cp.ipv6, apiService.ipv4, apiService.ipv6, '127.0.0.1', '::1'],
    names: [
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      'localhost',
    ],
  })
  write(files.ca, made.ca)
  write(files.serverCertificate, made.serverCertificate)
  write(files.serverKey, made.serverKey)
  write(files.accountKey, made.serviceAccountKey)
  write(files.accountPublicKey, made.serviceAccountPublicKey)
  write(files.auditPolicy, JSON.stringify(auditPolicy))
  const credentials = identities(hostsOf(c.topology, 'node')).map((identity) => ({
    ...identity,
    token: randomBytes(16).toString('hex'),
  }))
  write(files.tokens, tokenFile(credentials))
  for (const credential of credentials) {
    const text = kubeconfig({ server: apiServerUrl(cp), ca: made.ca, credential })
    write(kubeconfigName(credential.name), text)
  }
}

/** Command lines by daemon name; `startDaemon` starts any of them, also again after it was killed. */
export function controlPlaneDaemons(c: ControlPlane): ReadonlyMap<string, readonly string[]> {
  const cp = hostNamed(c.topology, 'cp')
  const inCp = (part: ControlPlanePart, flags: readonly string[]): [string, readonly string[]] => [
    part,
    inNetns(cp.netns, [c.programs[part], ...flags]),
  ]
  return new Map([
    inCp('etcd', etcdFlags(c.paths)),
    inCp('kube-apiserver', apiServerFlags(cp, c.paths, c.settings)),
    inCp('kube-controller-manager', controllerManagerFlags(c.paths, c.settings)),
    inCp('kube-scheduler', schedulerFlags(c.paths)),
    ...hostsOf(c.topology, 'node').map((node): [string, readonly string[]] => [
      `kube-proxy-${node.name}`,
      inNetns(node.netns, [c.programs['kube-proxy'], ...kubeProxyFlags(node, c.paths)]),
    ]),
  ])
}

export function startNamed(c: ControlPlane, names: (name: string) => boolean): void {
  for (const [name, argv] of controlPlaneDaemons(c)) {
    if (names(name)) c.daemons.start({ name, argv })
  }
}

/** Waits for /readyz and the objects that every workload needs; a daemon that ended meanwhile ends the wait. */
export async function waitForApiServer(c: ControlPlane): Promise<void> {
  const cp = hostNamed(c.topology, 'cp')
  const url = `https://127.0.0.1:${apiPort}/readyz`
  const probe = ['curl', '-sf', '--max-time', '2', '--cacert', join(c.paths.control, files.ca), url]
  await waitForDaemon(
    c,
    'kube-apiserver',
    60_000,
    async () => (await tryRun(inNetns(cp.netns, probe))).code === 0,
  )
}

export async function waitForKubeProxy(c: ControlPlane, node: Host): Promise<void> {
  const probe = ['curl', '-sf', '--max-time', '2', 'http://127.0.0.1:10256/livez']
  await waitForDaemon(
    c,
    `kube-proxy-${node.name}`,
    30_000,
    async () => (await tryRun(inNetns(node.netns, probe))).code === 0,
  )
}

async function waitForDaemon(
  c: ControlPlane,
  name: string,
  timeoutMs: number,
  ready: () => Promise<boolean>,
): Promise<void> {
  const state = await waitFor(
    `${name} to be ready (log: ${c.daemons.logPath(name)})`,
    async () => {
      const daemon = c.daemons.find(name)
      if (daemon === undefined || !isAlive(daemon)) return 'ended'
      return (await ready()) ? 'ready' : undefined
    },
    { timeoutMs, intervalMs: 50 },
  )
  if (state === 'ended') throw new Error(`${name} ended at once:\n${c.daemons.logTail(name)}`)
}
