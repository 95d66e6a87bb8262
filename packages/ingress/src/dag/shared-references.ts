/**
 * What the configuration names for all hosts, and cannot be used: no host is told of it, as each is as good without. In:
 * what is there, and the settings. Out: one problem for each such name, with its path in the configuration.
 */
import type { Key } from '@landfall/kube/model'
import type { Lookups } from '../model/lookups.ts'
import { translateExtension } from './extension-service.ts'
import type { DagOptions } from './options.ts'
import { error, type Problem } from './problem.ts'
import type { Reading } from './reading.ts'
import { pairProblem } from './tls-settings.ts'

/** The type of each problem; its message starts with the path. */
const type = 'ReferenceError'

export function sharedProblems(lookups: Lookups, options: DagOptions): readonly Problem[] {
  const { tracing, rateLimitService, globalAuthorization } = options
  const reading = { lookups, options }
  return [
    ...extensionProblem('tracing.extensionService', tracing?.extensionService, 'no trace is told', reading),
    ...extensionProblem(
      'rateLimitService.extensionService',
      rateLimitService?.extensionService,
      rateLimitService?.failOpen === true
        ? 'nothing is limited globally'
        : 'what is limited globally gets 500',
      reading,
    ),
    ...extensionProblem(
      'globalExtAuth.extensionService',
      globalAuthorization?.extensionService,
      globalAuthorization?.server.failOpen === true ? 'everybody may pass' : 'nobody may pass',
      reading,
    ),
    ...secretProblem('tls.envoy-client-certificate', options.clientCertificate, lookups),
    ...secretProblem('tls.fallback-certificate', options.fallbackCertificate, lookups),
  ]
}

function extensionProblem(
  path: string,
  key: Key | undefined,
  effect: string,
  { lookups, options }: Reading,
): readonly Problem[] {
  if (key === undefined) return []
  const found = lookups.extensionService(key)
  if (found !== undefined && translateExtension(found, lookups, options).cluster !== undefined) return []
  const why = found === undefined ? 'not found' : 'not valid, see its status'
  return [error(type, 'ExtensionServiceNotFound', `${path}: ExtensionService "${key}" is ${why}: ${effect}`)]
}

function secretProblem(path: string, key: Key | undefined, lookups: Lookups): readonly Problem[] {
  if (key === undefined) return []
  const why = pairProblem(key, lookups)
  if (why === undefined) return []
  return [error(type, 'SecretNotValid', `${path}: ${why}`)]
}
