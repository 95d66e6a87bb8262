/** What is wrong with the ConfigMap of MetalLB up to v0.12: with the key or the line of its text. */
import { keyOf } from '@landfall/kube/model'
import { configKey, type Refusal } from '@landfall/metallb'
import { editing } from '../facts/advice.ts'
import { correction } from '../facts/allocation-lack.ts'
import { configMapOf, type LegacyFacts, statedRefusals } from '../facts/config-map.ts'
import { configurationOf } from '../facts/configuration.ts'
import type { Observed } from '../observed.ts'
import type { Finding } from './finding.ts'

export function configMapFindings(observed: Observed): readonly Finding[] {
  const { source, legacy } = configurationOf(observed)
  if (source === 'unknown') return []
  if (source === 'objects') return legacy === undefined ? [] : [unused(legacy)]
  return legacy === undefined ? withoutOne(observed) : [...refusals(legacy), ...notes(legacy)]
}

function aboutConfigMap({ configMap }: Pick<LegacyFacts, 'configMap'>): Pick<Finding, 'kind' | 'name'> {
  return { kind: 'ConfigMap', name: keyOf(configMap.meta) }
}

function unused({ configMap }: LegacyFacts): Finding {
  const { namespace, name } = configMap.meta
  const message = 'it is not in force: there is an IPAddressPool, so that the metallb.io objects rule'
  const next = `When nobody goes back to it: kubectl -n ${namespace} delete configmap ${name}`
  return { severity: 'warning', ...aboutConfigMap({ configMap }), reason: 'configMapNotUsed', message, next }
}

/** It is gone while its content is in force, or has no content. */
function withoutOne(observed: Observed): readonly Finding[] {
  const configMap = configMapOf(observed)
  if (configMap === undefined)
    return statedRefusals(observed).map(({ kind, namespace, name, reason, message }) => ({
      severity: 'error',
      kind,
      name: `${namespace}/${name}`,
      reason,
      message,
      next: `Write data.${configKey} of ConfigMap ${namespace}/${name} anew, for the one before it stays in force only until controller and speakers restart: kubectl -n ${namespace} create configmap ${name} --from-file=${configKey}=FILE`,
    }))
  const about = aboutConfigMap({ configMap })
  const message = `it has no key "${configKey}", and there is no IPAddressPool: nothing is configured`
  const next = `Write the configuration under data.${configKey} of ConfigMap ${about.name}: ${editing('ConfigMap', about.name)}`
  return [{ severity: 'error', ...about, reason: 'MissingField', message, next }]
}

const asWhole = 'It counts as a whole or not at all: the one before it, if there was one, stays in force.'

function refusals(legacy: LegacyFacts): readonly Finding[] {
  // Those of pools that are objects are found with them.
  const ofNodes = legacy.refusals.filter(({ kind }) => kind === 'Node')
  const own = legacy.refusals.filter(({ kind }) => kind === 'ConfigMap')
  const [first] = own
  const about = aboutConfigMap(legacy)
  const lines = [...own.map(({ message }) => message), ...(legacy.usable ? [] : [asWhole])]
  const whole = first && {
    severity: 'error' as const,
    ...about,
    reason: first.reason,
    message: lines.join('\n'),
    next: correction(legacy),
  }
  return [...(whole === undefined ? [] : [whole]), ...ofNodes.map(ofNode)]
}

function ofNode({ kind, name, reason, message, field }: Refusal): Finding {
  const next = `Correct the label or annotation for ${field} of Node ${name}: ${editing(kind, name)}`
  return { severity: 'error', kind, name, reason, message, next }
}

function notes(legacy: LegacyFacts): readonly Finding[] {
  const about = aboutConfigMap(legacy)
  return legacy.notes.map((message) => ({
    severity: 'warning',
    ...about,
    reason: 'configDeprecated',
    message,
    next: '',
  }))
}
