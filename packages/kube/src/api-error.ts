/** What the API server refused, or that it could not be reached; the message says what was asked. */

export class ApiError extends Error {
  /** HTTP status, or 0 when there was no answer. */
  readonly status: number
  /** `NotFound`, `Conflict`, `Forbidden`, `Expired`, … as the server's Status says; '' without one. */
  readonly reason: string

  constructor(request: string, status: number, reason: string, message: string, cause?: unknown) {
    super(`${request}: ${message}`, cause === undefined ? undefined : { cause })
    this.name = 'ApiError'
    this.status = status
    this.reason = reason
  }
}

export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status)
}

/** The error behind an HTTP answer whose body may be a Status object. */
export function errorFrom(request: string, status: number, body: string): ApiError {
  const parsed = parseStatus(body)
  const message = parsed?.message ?? (body.slice(0, 300).trim() || `HTTP ${status}`)
  return new ApiError(request, status, parsed?.reason ?? '', message)
}

function parseStatus(body: string): { readonly reason?: string; readonly message?: string } | undefined {
  try {
    const value: { kind?: string; reason?: string; message?: string } = JSON.parse(body)
    return value.kind === 'Status' ? value : undefined
  } catch {
    return undefined
  }
}

/** An error and its causes in one line: `no answer: connect ECONNREFUSED`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const message = error.message || code || error.name
  return error.cause === undefined ? message : `${message}: ${describeError(error.cause)}`
}
