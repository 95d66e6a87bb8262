// Who talks to the API server: a static token each. From them come the API server's token file
// and a kubeconfig for each program. Pure.
import { apiPort, type Host } from '../topology/topology.ts'

export interface Identity {
  /** Also the name of its kubeconfig file. */
  readonly name: string
  readonly user: string
  readonly groups: readonly string[]
}

export interface Credential extends Identity {
  readonly token: string
}

export function identities(nodes: readonly Host[]): readonly Identity[] {
  return [
    { name: 'admin', user: 'admin', groups: ['system:masters'] },
    { name: 'controller-manager', user: 'system:kube-controller-manager', groups: [] },
    { name: 'scheduler', user: 'system:kube-scheduler', groups: [] },
    { name: 'kube-proxy', user: 'system:kube-proxy', groups: [] },
    // The process kubelet also does what belongs to the lab, such as cluster DNS.
    ...nodes.map((node) => ({
      name: node.name,
      user: `system:node:${node.name}`,
      groups: ['system:nodes', 'system:masters'],
    })),
  ]
}

/** The API server's `--token-auth-file`: token, user, uid and groups a line. */
export function tokenFile(credentials: readonly Credential[]): string {
  return credentials.map((c) => `${c.token},${c.user},${c.name},"${c.groups.join(',')}"\n`).join('')
}

export function kubeconfig(o: {
  readonly server: string
  readonly ca: string
  readonly credential: Credential
}): string {
  const name = 'landfall-lab'
  const document = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name,
        cluster: { server: o.server, 'certificate-authority-data': Buffer.from(o.ca).toString('base64') },
      },
    ],
    users: [{ name: o.credential.name, user: { token: o.credential.token } }],
    contexts: [{ name, context: { cluster: name, user: o.credential.name } }],
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

export function apiServerUrl(controlPlane: Host): string {
  return `https://${controlPlane.ipv4}:${apiPort}`
}
