/**
 * BGPPeer between v1beta1 and v1beta2. Both versions share one schema that knows every field of either, so a
 * conversion is the new `apiVersion` and nothing lost: what only v1beta2 knows stays in an object that is read as
 * v1beta1. Port 0, which v1beta1 allows, means 179 in both.
 */
import { bgpPeer } from './identity.ts'

export type Converted<T> =
  | { readonly ok: true; readonly object: T & { readonly apiVersion: string } }
  | { readonly ok: false; readonly message: string }

const versions: readonly string[] = ['v1beta1', 'v1beta2'].map((version) => `${bgpPeer.group}/${version}`)

/** @param wanted an apiVersion, as `metallb.io/v1beta2` */
export function convertBGPPeer<T extends { readonly apiVersion?: unknown; readonly kind?: unknown }>(
  object: T,
  wanted: string,
): Converted<T> {
  const { apiVersion, kind } = object
  if (kind !== bgpPeer.kind)
    return { ok: false, message: `${show(kind)} is not converted here, only BGPPeer` }
  for (const version of [apiVersion, wanted])
    if (typeof version !== 'string' || !versions.includes(version))
      return { ok: false, message: `BGPPeer has no version ${show(version)}, only ${versions.join(' and ')}` }
  return { ok: true, object: { ...object, apiVersion: wanted } }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
