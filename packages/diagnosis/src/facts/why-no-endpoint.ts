/** Why a Service has no endpoint that takes traffic (pure): selector, pods, ports, in this order. */
import type { Service } from '@landfall/kube/model'
import type { Observed, PodFacts } from '../observed.ts'
import { editing } from './advice.ts'
import { endpointsOf, labelText, selectedPods } from './endpoints.ts'

export interface Lack {
  readonly reason: string
  readonly message: string
  readonly next: string
}

const mostPods = 3

/** `portName`: of the Service's port that is asked for; undefined: any. */
export function whyNoEndpoint(
  seen: Pick<Observed, 'slices' | 'pods'>,
  service: Service,
  portName: string | undefined,
): Lack {
  const { namespace, name } = service.meta
  const key = `${namespace}/${name}`
  const selector = labelText(service.selector)
  if (selector === '') {
    return {
      reason: 'noSelector',
      message: `Service ${key} has no selector, and no EndpointSlice names a ready address for it`,
      next: `Give the Service a selector (${editing('Service', key)}), or keep its EndpointSlices: kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}`,
    }
  }
  if (seen.pods.gap !== undefined) {
    return {
      reason: 'noEndpoints',
      message: `Service ${key} has no ready endpoint; its pods may not be read`,
      next: `kubectl -n ${namespace} get pods -l ${selector}`,
    }
  }
  const pods = selectedPods(seen.pods.items, service)
  if (pods.length === 0) return noPod(service, key, selector, seen.pods.items)
  const ready = pods.filter((pod) => pod.ready)
  if (ready.length === 0) {
    const [first] = pods
    return {
      reason: 'podsNotReady',
      message: `none of the ${pods.length} pods of Service ${key} is ready: ${podsText(pods)}${probedElsewhere(service, portName, pods)}`,
      next: first === undefined ? '' : lookAt(first),
    }
  }
  const others = endpointsOf(seen, service.meta, undefined)
  if (portName !== undefined && others.length > 0) {
    return {
      reason: 'portWithoutEndpoints',
      message: `Service ${key} has endpoints, but none of its port "${portName}": no container names the targetPort`,
      next: `Use the number of the port as targetPort (${editing('Service', key)}), or name the port so in the pod.`,
    }
  }
  return {
    reason: 'noEndpointSlice',
    message: `${ready.length} pods of Service ${key} are ready, and no EndpointSlice has them`,
    next: 'See whether kube-controller-manager runs, which writes them: kubectl -n kube-system get pods -l component=kube-controller-manager',
  }
}

/** The probe asks one port and the Service leads to another: one of the two may be the slip. */
function probedElsewhere(
  { ports }: Service,
  portName: string | undefined,
  pods: readonly PodFacts[],
): string {
  const [, probed] = /readiness probe \(.* on port (\d+)\)/.exec(pods[0]?.trouble ?? '') ?? []
  const asked = ports.filter(({ name }) => portName === undefined || name === portName)
  const targets = asked.map(({ targetPort }) => targetPort)
  if (probed === undefined || targets.length === 0) return ''
  if (!targets.every((one) => typeof one === 'number' && one > 0 && String(one) !== probed)) return ''
  return `; the Service leads to port ${[...new Set(targets)].join(', ')}`
}

/**
 * What to correct where that is known: the probe, or what a container is started with, which said last what it lacks. Else
 * where to look.
 */
export function lookAt(pod: PodFacts): string {
  const { meta, trouble, workload } = pod
  const { namespace, name } = meta
  const describe = `kubectl -n ${namespace} describe pod ${name}`
  const [, container = '', why = ''] = /^container (\S+): (\w+)/.exec(trouble) ?? []
  const [kind = '', own = ''] = (workload === '' ? `Pod ${name}` : workload).split(' ')
  const where = `${kind} ${namespace}/${own}`
  const edit = editing(kind, `${namespace}/${own}`)
  const [, asked] = /readiness probe \((.*?)\)/.exec(trouble) ?? []
  if (asked !== undefined) {
    const seen = trouble.endsWith(`(${asked})`) ? `; what the kubelet sees: ${describe}` : ''
    return `Correct readinessProbe of container ${container} in ${where} (${edit}), or have the container answer it: ${asked}${seen}`
  }
  const [, words] = /it ended with exit code \d+(?: \(.*?\))?: (.*)/s.exec(trouble) ?? []
  if (words !== undefined) {
    const named = pod.arguments.map((one) => one.split('=')[0] ?? '').find((one) => isNamed(one, words))
    return named === undefined
      ? `Correct what container ${container} is started with, or give it what it lacks, in ${where}: ${edit}`
      : `Correct args of container ${container} (${named}) in ${where}: ${edit}`
  }
  const of = container === '' ? '' : ` -c ${container}${why === 'CrashLoopBackOff' ? ' --previous' : ''}`
  return `${describe}; kubectl -n ${namespace} logs ${name}${of}`
}

function isNamed(flag: string, words: string): boolean {
  return flag.startsWith('--') && words.split(/[^\w-]+/).includes(flag)
}

function noPod(service: Service, key: string, selector: string, pods: readonly PodFacts[]): Lack {
  const { namespace } = service.meta
  const there = pods.filter(({ meta }) => meta.namespace === namespace)
  const labels = [...new Set(there.map(({ meta }) => labelText(meta.labels)))].slice(0, mostPods)
  const has = there.length === 0 ? 'there are no pods there' : `the pods there have ${labels.join('; ')}`
  const likely = likelySelector(service, there)
  return {
    reason: 'selectorMatchesNothing',
    message: `the selector of Service ${key} (${selector}) matches no pod of namespace ${namespace}: ${has}`,
    next: `${likely === undefined ? `Correct spec.selector of the Service (${editing('Service', key)})` : correctionOf(service, likely)}, or the labels of the pods; or start the pods.`,
  }
}

/** The one that pods there would take whose labels differ by some letters; undefined: there is none, or more than one. */
function likelySelector(
  { selector }: Service,
  pods: readonly PodFacts[],
): Readonly<Record<string, string>> | undefined {
  const near = pods.flatMap(({ meta: { labels } }) => {
    const wanted = Object.entries(selector)
    const alike = wanted.every(([label, value]) => isNear(value, labels[label] ?? ''))
    return alike ? [Object.fromEntries(wanted.map(([label]) => [label, labels[label] ?? '']))] : []
  })
  const distinct = new Map(near.map((one) => [labelText(one), one]))
  return distinct.size === 1 ? near[0] : undefined
}

/** But for one letter, or for letters at the end of one of the two; numbers tell versions apart, and are none. */
function isNear(a: string, b: string): boolean {
  if (a === b || a.toLowerCase() === b.toLowerCase()) return true
  if (a.replace(/\D/g, '') !== b.replace(/\D/g, '')) return false
  if (a.length < 3 || b === '') return false
  if (a.startsWith(b) || b.startsWith(a)) return Math.abs(a.length - b.length) <= 2
  let first = 0
  while (a[first] === b[first]) first += 1
  return [
    [1, 0],
    [0, 1],
    [1, 1],
  ].some(([x = 0, y = 0]) => a.slice(first + x) === b.slice(first + y))
}

function correctionOf({ meta }: Service, selector: Readonly<Record<string, string>>): string {
  const patch = JSON.stringify({ spec: { selector } })
  return `Correct spec.selector of the Service (kubectl -n ${meta.namespace} patch service ${meta.name} --type=merge -p '${patch}')`
}

/** Pods with the same trouble together. */
export function podsText(pods: readonly PodFacts[]): string {
  const groups = Map.groupBy(pods, ({ trouble, phase }) => (trouble === '' ? phase : trouble))
  return [...groups]
    .map(([trouble, all]) => {
      const names = all.slice(0, mostPods).map(({ meta }) => meta.name)
      const more = all.length > mostPods ? [`and ${all.length - mostPods} more`] : []
      return `${[...names, ...more].join(', ')} (${trouble})`
    })
    .join('; ')
}

export function podText({ meta, trouble, phase }: PodFacts): string {
  return `${meta.name} (${trouble === '' ? phase : trouble})`
}
