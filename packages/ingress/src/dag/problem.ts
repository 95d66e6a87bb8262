/**
 * Why an object, or a part of it, is not served. `type` and `reason` are the stable codes that status, log and
 * tests share; they are Contour's where it has one.
 */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly type: string
  readonly reason: string
  /** Names the object's field and what is wrong with it. */
  readonly message: string
}

export function error(type: string, reason: string, message: string): Problem {
  return { severity: 'error', type, reason, message }
}

export function warning(type: string, reason: string, message: string): Problem {
  return { severity: 'warning', type, reason, message }
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export function ok<T>(value: T): Checked<T> {
  return { ok: true, value }
}

export function refused(...problems: readonly Problem[]): {
  readonly ok: false
  readonly problems: readonly Problem[]
} {
  return { ok: false, problems }
}
