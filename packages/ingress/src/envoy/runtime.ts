/**
 * The runtime layer `dynamic` of the bootstrap. Envoy's own limit on the size of a compiled regex (100) refuses
 * expressions that people write; a refused one would take its whole scope with it.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { RuntimeSchema } from '@envoyproxy/envoy-types/envoy/service/runtime/v3/rtds'
import { makeResource, type Resource } from '../xds/resource.ts'
import type { RuntimeOptions } from './options.ts'

export const runtimeName = 'dynamic'

/** @param listeners names of those that clients reach */
export function runtimeResource(options: RuntimeOptions, listeners: readonly string[]): Resource {
  const { requestsPerIoCycle, connectionsPerListener, more } = options
  const layer: Record<string, number | string> = {
    're2.max_program_size.error_level': 1_048_576,
    're2.max_program_size.warn_level': 1000,
  }
  if (requestsPerIoCycle !== undefined) layer['http.max_requests_per_io_cycle'] = requestsPerIoCycle
  for (const name of connectionsPerListener === undefined ? [] : listeners) {
    layer[`envoy.resource_limits.listener.${name}.connection_limit`] = connectionsPerListener ?? 0
  }
  const message = create(RuntimeSchema, { name: runtimeName, layer: { ...layer, ...more } })
  return makeResource(runtimeName, toBinary(RuntimeSchema, message))
}
