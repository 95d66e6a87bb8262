/** RouteMatch → Envoy's RouteMatch. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from '@envoyproxy/envoy-types/envoy/config/route/v3/route_components'
import type { StringMatcherSchema } from '@envoyproxy/envoy-types/envoy/type/matcher/v3/string'
import type { HeaderMatch, PathMatch, QueryMatch, RouteMatch } from '../dag/match.ts'

type PathSpecifier = NonNullable<MessageInitShape<typeof RouteMatchSchema>['pathSpecifier']>
type StringMatcher = MessageInitShape<typeof StringMatcherSchema>

export function routeMatch(match: RouteMatch): MessageInitShape<typeof RouteMatchSchema> {
  return {
    pathSpecifier: pathSpecifier(match.path),
    headers: match.headers.map(headerMatcher),
    queryParameters: match.query.map(queryMatcher),
  }
}

const pathSpecifiers = { exact: 'path', segment: 'pathSeparatedPrefix', prefix: 'prefix' } as const

function pathSpecifier({ kind, value }: PathMatch): PathSpecifier {
  return kind === 'regex'
    ? { case: 'safeRegex', value: { regex: value } }
    : { case: pathSpecifiers[kind], value }
}

export function headerMatcher(match: HeaderMatch): MessageInitShape<typeof HeaderMatcherSchema> {
  return {
    name: match.name,
    invertMatch: match.invert,
    treatMissingHeaderAsEmpty: match.missingAsEmpty,
    headerMatchSpecifier:
      match.kind === 'present'
        ? { case: 'presentMatch', value: true }
        : { case: 'stringMatch', value: stringMatcher(match.kind, match.value, match.ignoreCase) },
  }
}

function queryMatcher(match: QueryMatch): MessageInitShape<typeof QueryParameterMatcherSchema> {
  return {
    name: match.name,
    queryParameterMatchSpecifier:
      match.kind === 'present'
        ? { case: 'presentMatch', value: true }
        : { case: 'stringMatch', value: stringMatcher(match.kind, match.value, match.ignoreCase) },
  }
}

function stringMatcher(
  kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex',
  value: string,
  ignoreCase: boolean,
): StringMatcher {
  return kind === 'regex'
    ? { matchPattern: { case: 'safeRegex', value: { regex: value } } }
    : { matchPattern: { case: kind, value }, ignoreCase }
}
