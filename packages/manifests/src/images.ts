/** The one place that names images. */

/** The Envoy release that Landfall is tested with. */
export const envoyVersion = '1.40.0'

export interface Images {
  readonly controller: string
  readonly speaker: string
  readonly contour: string
  readonly envoy: string
}

/**
 * @param version of Landfall, without a leading `v`
 * @param registry where Landfall's own images lie, as `registry.example.com:5000/team`; Envoy's is not among them
 */
export function imagesOf(version: string, registry?: string): Images {
  const own = (program: string) =>
    `${registry === undefined ? '' : `${registry}/`}landfall/${program}:${version}`
  return {
    controller: own('controller'),
    speaker: own('speaker'),
    contour: own('contour'),
    envoy: `envoyproxy/envoy:distroless-v${envoyVersion}`,
  }
}
