/** Settings that the objects have no field for stand in annotations, and are refused as fields are. */
import type { Meta } from '@landfall/kube/model'
import type { Problems } from './refusal.ts'

/** Path of an annotation in a refusal. */
export function annotationField(name: string): string {
  return `metadata.annotations[${name}]`
}

/** `true` or `false`, which it is unless set. */
export function readFlag({ annotations }: Meta, name: string, problems: Problems): boolean {
  const text = annotations[name]
  if (text === undefined || text === 'false') return false
  if (text === 'true') return true
  problems.report(annotationField(name), 'InvalidValue', `${JSON.stringify(text)} is not true or false`)
  return false
}
