/** What a request must look like to take a route or an include. */
import { flag, object, optional, type Shape, text } from '../schema/build.ts'

export const headerCondition = object({
  name: text('Header name, in any case.', { minLength: 1 }),
  present: optional(flag('The header is there.')),
  notpresent: optional(flag('The header is not there.')),
  contains: optional(text('The value contains this.')),
  notcontains: optional(text('The value does not contain this.')),
  exact: optional(text('The value is this.')),
  notexact: optional(text('The value is not this.')),
  regex: optional(text('The whole value matches this RE2 expression.')),
  ignoreCase: optional(flag('Compare without regard to case (exact and contains, and their negations).')),
  treatMissingAsEmpty: optional(flag('A missing header counts as an empty one (negations only).')),
})
export type HeaderCondition = Shape<typeof headerCondition>

export const queryParameterCondition = object({
  name: text('Parameter name, case matters.', { minLength: 1 }),
  exact: optional(text('The value is this.')),
  prefix: optional(text('The value starts with this.')),
  suffix: optional(text('The value ends with this.')),
  regex: optional(text('The whole value matches this RE2 expression.')),
  contains: optional(text('The value contains this.')),
  ignoreCase: optional(flag('Compare without regard to case.')),
  present: optional(flag('The parameter is there.')),
})
export type QueryParameterCondition = Shape<typeof queryParameterCondition>

export const matchCondition = object({
  prefix: optional(text('The path starts with this.')),
  exact: optional(text('The path is this.')),
  regex: optional(text('The whole path matches this RE2 expression.')),
  header: optional(headerCondition),
  queryParameter: optional(queryParameterCondition),
})
export type MatchCondition = Shape<typeof matchCondition>
