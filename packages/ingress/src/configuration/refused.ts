/** Parts of Contour's configuration that cannot be honoured yet: they are refused, each with the reason. */
export interface Refused {
  readonly file?: string
  readonly object?: string
  readonly why: string
}

export const refused: readonly Refused[] = [
  { file: 'gateway', object: 'gateway', why: 'Gateway API is not served yet' },
  { file: 'tracing', object: 'tracing', why: 'tracing is not served yet' },
]
