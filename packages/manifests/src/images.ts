/** The one place that names images. */

/** The Envoy release that Landfall is tested with. */
export const envoyVersion = '1.40.0'

export interface Images {
  readonly controller: string
  readonly speaker: string
  readonly contour: string
  readonly envoy: string
}

/** @param version of Landfall, without a leading `v` */
export function imagesOf(version: string): Images {
  return {
    controller: `landfall/controller:${version}`,
    speaker: `landfall/speaker:${version}`,
    contour: `landfall/contour:${version}`,
    envoy: `envoyproxy/envoy:distroless-v${envoyVersion}`,
  }
}
