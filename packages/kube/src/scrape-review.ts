/** Whether the bearer of a token may get `/metrics`: a TokenReview says who it is, a SubjectAccessReview the rest. */
import type { Review, ReviewToken } from '@landfall/telemetry'
import { hasStatus } from './api-error.ts'
import type { Cluster } from './cluster.ts'
import type { RawObject } from './resource.ts'

interface TokenStatus {
  readonly authenticated?: boolean
  readonly user?: {
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
}

const timeoutMs = 4000

export function scrapeReview(cluster: Pick<Cluster, 'request'>): ReviewToken {
  return async (token) => {
    const who = await post<TokenStatus>(cluster, 'authentication.k8s.io/v1', 'TokenReview', { token })
    if (who === 'notGranted')
      return { kind: 'notGranted', missing: 'create on tokenreviews.authentication.k8s.io' }
    if (who.authenticated !== true) return { kind: 'unknown' }
    const { username: user = '', uid, groups, extra } = who.user ?? {}
    const nonResourceAttributes = { path: '/metrics', verb: 'get' }
    const spec = { nonResourceAttributes, user, uid, groups, extra }
    const may = await post<{ readonly allowed?: boolean }>(
      cluster,
      'authorization.k8s.io/v1',
      'SubjectAccessReview',
      spec,
    )
    if (may === 'notGranted') {
      return { kind: 'notGranted', missing: 'create on subjectaccessreviews.authorization.k8s.io' }
    }
    const review: Review = may.allowed === true ? { kind: 'allowed' } : { kind: 'denied', user }
    return review
  }
}

async function post<T extends object>(
  cluster: Pick<Cluster, 'request'>,
  apiVersion: string,
  kind: string,
  spec: object,
): Promise<T | 'notGranted'> {
  const path = `/apis/${apiVersion}/${kind.toLowerCase()}s`
  const body = { apiVersion, kind, spec }
  try {
    const answer: RawObject & { readonly status?: T } = await cluster.request({
      method: 'POST',
      path,
      body,
      timeoutMs,
    })
    if (answer.status === undefined) throw new Error(`the ${kind} has no status`)
    return answer.status
  } catch (error) {
    if (hasStatus(error, 403)) return 'notGranted'
    throw error
  }
}
