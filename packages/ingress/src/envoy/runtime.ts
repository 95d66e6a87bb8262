/**
 * The runtime layer `dynamic` of the bootstrap. Envoy's own limit on the size of a compiled regex (100) refuses
 * expressions that people write; a refused one would take its whole scope with it.
 */
import { create, toBinary } from '@bufbuild/protobuf'
import { RuntimeSchema } from '@envoyproxy/envoy-types/envoy/service/runtime/v3/rtds'
import { makeResource, type Resource } from '../xds/resource.ts'

export const runtimeName = 'dynamic'

export function runtimeResource(): Resource {
  const layer = { 're2.max_program_size.error_level': 1_048_576, 're2.max_program_size.warn_level': 1000 }
  return makeResource(
    runtimeName,
    toBinary(RuntimeSchema, create(RuntimeSchema, { name: runtimeName, layer })),
  )
}
