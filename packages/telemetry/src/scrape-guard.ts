/**
 * Who may read `/metrics`: each scrape shows a bearer token, which somebody else reviews. Answers are kept for a
 * while by the token's hash. A review that is not granted refuses, and is logged once.
 */
import { createHash } from 'node:crypto'
import type { HttpAnswer, Route } from './http.ts'
import { describeError, type Logger } from './logger.ts'

/** `unknown`: the token is nobody's. `notGranted`: we may not ask. */
export type Review =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'denied'; readonly user: string }
  | { readonly kind: 'notGranted'; readonly missing: string }

export type ReviewToken = (token: string) => Promise<Review>

interface Kept {
  readonly until: number
  readonly review: Promise<Review>
}

const keepMs: Readonly<Record<Review['kind'], number>> = {
  allowed: 60_000,
  unknown: 10_000,
  denied: 10_000,
  notGranted: 30_000,
}
const maxKept = 200

/** @param now milliseconds of a monotonic clock */
export function guarded(
  route: Route,
  review: ReviewToken,
  logger: Logger,
  now: () => number = () => performance.now(),
): Route {
  const kept = new Map<string, Kept>()
  const said = new Set<string>()
  const sayOnce = (event: string, fields: Readonly<Record<string, string>>, message: string) => {
    if (said.has(message) || said.size >= maxKept) return
    said.add(message)
    logger.warn(event, fields, message)
  }
  const ask = (token: string): Promise<Review> => {
    const hash = createHash('sha256').update(token).digest('base64')
    const known = kept.get(hash)
    if (known !== undefined && now() < known.until) return known.review
    if (kept.size >= maxKept) kept.clear()
    const pending = review(token)
    kept.set(hash, { until: Number.POSITIVE_INFINITY, review: pending })
    pending.then(
      ({ kind }) => kept.set(hash, { until: now() + keepMs[kind], review: pending }),
      () => kept.delete(hash),
    )
    return pending
  }
  return async (url, request) => {
    const [, token] = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (token === undefined) return unauthenticated
    try {
      const answer = await ask(token)
      if (answer.kind === 'allowed') return await route(url, request)
      if (answer.kind === 'unknown') return unauthenticated
      if (answer.kind === 'denied') {
        const message = `${answer.user} may not get /metrics: bind a ClusterRole that grants nonResourceURL /metrics`
        sayOnce('scrapeDenied', { user: answer.user }, message)
        return { status: 403, body: `${message}\n` }
      }
      const message = `scrapes are refused: the role does not grant ${answer.missing}; grant it, or give --port=7472 for plain HTTP`
      sayOnce('scrapeNotReviewed', { missing: answer.missing }, message)
      return { status: 403, body: `${message}\n` }
    } catch (error) {
      logger.debug('scrapeReviewFailed', { error: describeError(error) })
      return { status: 503, body: 'the token could not be reviewed\n' }
    }
  }
}

const unauthenticated: HttpAnswer = {
  status: 401,
  body: 'show a bearer token that the API server knows\n',
  headers: { 'www-authenticate': 'Bearer' },
}
