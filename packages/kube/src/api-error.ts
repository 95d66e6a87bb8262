/** What the API server refused, or that it could not be reached; the message says what was asked. */

/** With a status, the server said no; with status 0, it said nothing that can be read. */
export class ApiError extends Error {
  /** HTTP status, or 0 when there was no answer. */
  readonly status: number
  /** `NotFound`, `Conflict`, `Forbidden`, `Expired`, … as the server's Status says; '' without one. */
  readonly reason: string

  /** What the server asked to wait before the next try. */
  readonly retryAfterMs: number

  constructor(
    request: string,
    status: number,
    reason: string,
    message: string,
    more: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(`${request}: ${message}`, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
    this.retryAfterMs = more.retryAfterMs ?? 0
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status)
}

/** The error behind an HTTP answer whose body may be a Status object. */
export function errorFrom(request: string, status: number, body: string, retryAfterMs = 0): ApiError {
  const parsed = parseStatus(body)
  const message = parsed?.message ?? (body.slice(0, 300).trim() || `HTTP ${status}`)
  return new ApiError(request, status, parsed?.reason ?? '', message, { retryAfterMs })
}

function parseStatus(body: string): { readonly reason?: string; readonly message?: string } | undefined {
  try {
    const value: { kind?: string; reason?: string; message?: string } = JSON.parse(body)
    return value.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}
