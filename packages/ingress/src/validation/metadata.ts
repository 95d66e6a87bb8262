/** What the API server would refuse of the metadata of any object. */
import type { RawObject } from '@landfall/kube'
import { isRecord } from '../configuration/readers.ts'

const maps = ['annotations', 'labels'] as const

export function metadataProblems({ metadata }: RawObject): readonly string[] {
  return maps.flatMap((name) => {
    const found: unknown = metadata[name] ?? {}
    if (!isRecord(found)) return [`metadata.${name}: must be a map`]
    return Object.entries(found).flatMap(([key, value]) =>
      typeof value === 'string' ? [] : [`metadata.${name}["${key}"]: must be a string: put it in quotes`],
    )
  })
}
