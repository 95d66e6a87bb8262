/** Objects that are refused, whole or in part, with every reason: by their conditions. */
import { isOurClass } from '@landfall/ingress/routing'
import { keyOf, type Meta } from '@landfall/kube/model'
import type { ClusterView } from '../cluster-view.ts'
import { adviceOnRefusal, refusalText, routesOf } from '../facts/envoy-refusal.ts'
import { adviceOnObject } from '../facts/object-advice.ts'
import type { Condition, Judged, Observed } from '../observed.ts'
import { configMapFindings } from './config-map.ts'
import type { Finding } from './finding.ts'

/** Types of conditions whose `False` is an error, and those where it is a warning. */
const errors = ['Valid', 'Programmed', 'poolReconcilerValid', 'configReconcilerValid']
const warnings = ['ResolvedRefs', 'referencesResolved', 'Applied', 'everythingRead']

export function objectFindings(view: ClusterView): readonly Finding[] {
  const { judged, places } = view.observed
  const states = judged.items.filter(({ kind }) => kind === 'ConfigurationState')
  const objects = judged.items.filter(({ kind }) => kind !== 'ConfigurationState').flatMap(findingsOf)
  const own = [...objects, ...configMapFindings(view.observed)]
  const told = new Set(own.flatMap(({ message }) => message.split('\n')))
  const more = states
    .filter(({ meta }) => meta.namespace === places.system)
    .flatMap(findingsOf)
    // What an object's own condition says already is not said again for each speaker.
    .flatMap((finding) => {
      const lines = finding.message.split('\n').filter((line) => !told.has(line))
      for (const line of lines) told.add(line)
      return lines.length === 0 ? [] : [{ ...finding, message: lines.join('\n') }]
    })
  const conditions = [...objects, ...more].map((one) => advised(inWords(one, view), view.observed))
  return [...conditions, ...configMapFindings(view.observed), ...untaken(view)].map(withoutItsName)
}

/** What Envoy refused names its own parts; a person has those of the object. */
function inWords(finding: Finding, view: ClusterView): Finding {
  const { kind, name, reason, message } = finding
  if (kind === 'ContourConfiguration' && reason === 'EnvoyRefused') {
    const reach =
      'this reaches every host on its port: they are served as before, and an Envoy that starts anew does not open it'
    return { ...finding, message: `${message}; ${reach}` }
  }
  const proxy = view.observed.proxies.items.find(({ meta }) => keyOf(meta) === name)
  if (kind !== 'HTTPProxy' || reason !== 'EnvoyRefused' || proxy === undefined) return finding
  const host = proxy.spec.virtualhost?.fqdn ?? ''
  return { ...finding, message: `${host}: ${refusalText(message, routesOf(view, host), name)}` }
}

function advised(finding: Finding, observed: Observed): Finding {
  const { kind, name, reason, message, next } = finding
  if (kind === 'HTTPProxy' && reason === 'EnvoyRefused')
    return { ...finding, next: adviceOnRefusal(name, message, observed.places) }
  return { ...finding, next: next || adviceOnObject(observed, finding, finding) }
}

/** Messages begin with the object that they are about, which stands before them already. */
function withoutItsName(finding: Finding): Finding {
  const { kind, name, message } = finding
  return { ...finding, message: message.replaceAll(`${kind} ${name}: `, '') }
}

function findingsOf(object: Judged): readonly Finding[] {
  return object.conditions.flatMap((condition) => {
    const about = { kind: object.kind, name: keyOf(object.meta) }
    const { type, status } = condition
    if (type === 'Valid' && status === 'Unknown') return [said('warning', about, condition)]
    const noted = type === 'Valid' ? condition.warnings.map((one) => said('warning', about, one)) : []
    if (status !== 'False') return noted
    if (warnings.includes(type)) return [said('warning', about, condition)]
    if (!errors.includes(type)) return noted
    const listed = type === 'Valid' && condition.errors.length > 0 ? condition.errors : [condition]
    return [...listed.map((one) => said('error', about, one)), ...noted]
  })
}

function said(
  severity: Finding['severity'],
  about: Pick<Finding, 'kind' | 'name'>,
  { reason, message }: Pick<Condition, 'reason' | 'message'>,
): Finding {
  return { severity, ...about, reason, message, next: '' }
}

/** HTTPProxies that nobody here looks at, or nobody has yet. */
function untaken({ observed, serving }: ClusterView): readonly Finding[] {
  return observed.proxies.items.flatMap(({ meta, spec, status }): readonly Finding[] => {
    const about = { severity: 'warning', kind: 'HTTPProxy', name: keyOf(meta) } as const
    const { classes } = serving.options
    const valid = status?.conditions?.find(({ type }) => type === 'Valid')
    if (!isOurClass(meta, spec.ingressClassName ?? '', classes)) {
      const theirs = `it is of class "${classOf(meta.annotations, spec.ingressClassName)}", and contour serve takes ${classText(classes)}`
      const next = classAdvice('HTTPProxy', meta, classes)
      const stranger = { ...about, reason: 'otherIngressClass', next }
      // Whoever serves the other class says so in the status.
      if (valid !== undefined && (valid.observedGeneration ?? meta.generation) >= meta.generation)
        return [{ ...stranger, message: theirs }]
      const host = spec.virtualhost?.fqdn
      const consequence = host === undefined ? '' : `: ${host} is not served`
      const message = `${theirs}; no other program has taken it as it is now${consequence}`
      return [{ ...stranger, severity: 'error', message }]
    }
    if (valid !== undefined) return []
    const message = 'contour serve has not looked at it yet'
    const next = `See that contour is ready: kubectl -n ${observed.places.ingress} get pods -l app=contour`
    return [{ ...about, reason: 'notReconciled', message, next }]
  })
}

const classNames = ['projectcontour.io/ingress.class', 'kubernetes.io/ingress.class']

/** An annotation rules over the field. */
export function classAdvice(kind: string, meta: Meta, [own = 'contour']: readonly string[]): string {
  const { namespace, name, annotations } = meta
  const at = `kubectl -n ${namespace}`
  const what = `${kind.toLowerCase()} ${name}`
  const annotation = classNames.find((one) => one in annotations)
  const command =
    annotation === undefined
      ? `${at} patch ${what} --type=merge -p '${JSON.stringify({ spec: { ingressClassName: own } })}'`
      : `${at} annotate --overwrite ${what} ${annotation}=${own}`
  return `If Landfall is to serve it: ${command}; or have contour serve take its class, too: --ingress-class-name.`
}

export function classOf(annotations: Readonly<Record<string, string>>, field: string | undefined): string {
  return classNames.map((name) => annotations[name]).find((value) => value !== undefined) ?? field ?? ''
}

export function classText(classes: readonly string[]): string {
  return classes.length === 0 ? 'objects without a class and those of class "contour"' : classes.join(', ')
}
