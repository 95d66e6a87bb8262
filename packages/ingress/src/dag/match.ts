/** Which requests a route takes. */

export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string }
  /** The whole path must match this RE2 expression. */
  | { readonly kind: 'regex'; readonly value: string }
  /** A prefix of the text. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** A prefix of whole path segments; never ends in `/`. */
  | { readonly kind: 'segment'; readonly value: string }

export interface HeaderMatch {
  readonly name: string
  readonly kind: 'present' | 'contains' | 'exact' | 'regex'
  /** '' for `present`. */
  readonly value: string
  readonly invert: boolean
  readonly ignoreCase: boolean
  readonly missingAsEmpty: boolean
}

export interface QueryMatch {
  readonly name: string
  readonly kind: 'present' | 'contains' | 'exact' | 'prefix' | 'suffix' | 'regex'
  readonly value: string
  readonly ignoreCase: boolean
}

export interface RouteMatch {
  readonly path: PathMatch
  readonly headers: readonly HeaderMatch[]
  readonly query: readonly QueryMatch[]
}
