/** What the definitions refuse by rules in CEL, in their words; of a spec that keeps the schema. */
import type { ContourConfigurationSpec, HTTPProxySpec } from '@landfall/api'

type Specs = Partial<Readonly<Record<string, (spec: unknown) => readonly string[]>>>

const byKind: Specs = {
  HTTPProxy: (spec) => {
    const { authorization, jwtProviders = [] } = (spec as HTTPProxySpec).virtualhost ?? {}
    return [
      ...authorizationProblems('spec.virtualhost.authorization', authorization),
      ...jwtProviders.flatMap(({ remoteJWKS, localJWKS }, index) =>
        (remoteJWKS === undefined) === (localJWKS === undefined)
          ? [`spec.virtualhost.jwtProviders[${index}]: exactly one of remoteJWKS and localJWKS is needed`]
          : [],
      ),
    ]
  },
  ContourConfiguration: (spec) =>
    authorizationProblems('spec.globalExtAuth', (spec as ContourConfigurationSpec).globalExtAuth),
}

export function ruleProblems(kind: string, spec: unknown): readonly string[] {
  return byKind[kind]?.(spec) ?? []
}

function authorizationProblems(
  path: string,
  server: ContourConfigurationSpec['globalExtAuth'],
): readonly string[] {
  const isGiven = server?.httpSettings !== undefined && server.serviceType !== 'http'
  return isGiven ? [`${path}: httpSettings needs serviceType http`] : []
}
