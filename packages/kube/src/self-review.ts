/** Whether the program's own credentials allow something: a SelfSubjectAccessReview, which everybody may ask for. */
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { RawObject } from './resource.ts'

/** `group` is '' for the core. */
export interface Wish {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
}

interface Reviewed extends RawObject {
  readonly status?: { readonly allowed?: boolean }
}

const apiVersion = 'authorization.k8s.io/v1'
const kind = 'SelfSubjectAccessReview'
const timeoutMs = 4000

/** @returns undefined where the API server does not say */
export async function mayI(
  cluster: Pick<Cluster, 'request'>,
  resourceAttributes: Wish,
): Promise<boolean | undefined> {
  const body = { apiVersion, kind, spec: { resourceAttributes } }
  try {
    const path = `/apis/${apiVersion}/selfsubjectaccessreviews`
    const { status } = await cluster.request<Reviewed>({ method: 'POST', path, body, timeoutMs })
    return status?.allowed
  } catch (error) {
    if (hasStatus(error, 403, 404)) return undefined
    throw error
  }
}
