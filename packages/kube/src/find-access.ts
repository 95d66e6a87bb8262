/** Which cluster: `--kubeconfig`, then `KUBECONFIG`, then the pod's service account, then `~/.kube/config`. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Access } from './access.ts'
import { kubeconfigAccess } from './kubeconfig-access.ts'
import { podAccess } from './pod-access.ts'

/** @throws an Error that names the file or the variables that are missing */
export async function findAccess(
  kubeconfig: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Access> {
  const named = kubeconfig || env['KUBECONFIG']
  if (named) return kubeconfigAccess(named)
  const host = env['KUBERNETES_SERVICE_HOST']
  if (host) return podAccess({ host, port: env['KUBERNETES_SERVICE_PORT'] || '443' })
  const usual = join(homedir(), '.kube', 'config')
  if (existsSync(usual)) return kubeconfigAccess(usual)
  throw new Error(
    'no cluster: give --kubeconfig FILE, set KUBECONFIG, run in a pod, or have a ~/.kube/config',
  )
}
