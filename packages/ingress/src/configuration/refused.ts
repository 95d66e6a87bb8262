/** Parts of Contour's configuration that cannot be honoured: they are refused, each with the reason and what to do. */
export interface Refused {
  readonly file?: string
  readonly object?: string
  readonly why: string
}

export const refused: readonly Refused[] = [
  {
    file: 'gateway',
    object: 'gateway',
    why: 'Gateway API is not served: take this key out; what the Gateway and its routes say can be said with HTTPProxies',
  },
]
