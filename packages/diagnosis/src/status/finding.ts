/** Something that is wrong, or looks so, with the object that it is about. */

export interface Finding {
  /** What is wrong is an error; what only looks so, or holds for a while, a warning. */
  readonly severity: 'error' | 'warning'
  readonly kind: string
  /** `namespace/name`, or `name`. */
  readonly name: string
  /** Stable code. */
  readonly reason: string
  readonly message: string
  /** What to do; '' where the message says it. */
  readonly next: string
  /** The finding that it follows from, and goes away with; absent where it stands for itself. */
  readonly cause?: Pick<Finding, 'kind' | 'name' | 'reason'>
}
