/** Landfall's own pods: are there any, and are they ready? */
import { keyOf } from '@landfall/kube/model'
import { endForeignSpeakers, isForeignSpeaker } from '../facts/contenders.ts'
import { adviceOnExcluded, excludedNodes } from '../facts/excluded-nodes.ts'
import { lookAt, podsText, podText } from '../facts/why-no-endpoint.ts'
import type { Observed, PodFacts } from '../observed.ts'
import type { Finding } from './finding.ts'

export type ProgramName = 'controller' | 'speaker' | 'contour' | 'envoy'

export interface ProgramRow {
  readonly name: ProgramName
  readonly namespace: string
  readonly ready: number
  readonly total: number
}

interface Program {
  readonly name: ProgramName
  readonly half: 'balancer' | 'ingress'
  readonly label: string
  /** What is missing while none is ready. */
  readonly without: string
}

const programs: readonly Program[] = [
  { name: 'controller', half: 'balancer', label: 'component', without: 'no Service gets an address' },
  { name: 'speaker', half: 'balancer', label: 'component', without: 'no address is announced' },
  {
    name: 'contour',
    half: 'ingress',
    label: 'app',
    without: 'Envoys keep what they have, and learn nothing new',
  },
  { name: 'envoy', half: 'ingress', label: 'app', without: 'nothing serves Ingresses and HTTPProxies' },
]

/** The halves that are installed, by their definitions; pods of one are shown anyhow. */
export function programRows(observed: Observed): readonly ProgramRow[] {
  if (observed.pods.gap !== undefined) return []
  return programs.flatMap((program) => {
    const pods = podsOf(observed, program.name)
    if (pods.length === 0 && !isInstalled(program, observed)) return []
    const { name } = program
    const ready = pods.filter((pod) => pod.ready).length
    return [{ name, namespace: namespaceOf(program, observed), ready, total: pods.length }]
  })
}

/** Not those that have ended. */
export function podsOf({ pods, places }: Observed, name: ProgramName): readonly PodFacts[] {
  const program = programs.find((one) => one.name === name)
  if (program === undefined) return []
  const namespace = program.half === 'balancer' ? places.system : places.ingress
  return pods.items.filter(
    ({ meta, phase }) =>
      meta.namespace === namespace &&
      meta.labels[program.label] === name &&
      phase !== 'Succeeded' &&
      phase !== 'Failed',
  )
}

export function programFindings(observed: Observed): readonly Finding[] {
  if (observed.pods.gap !== undefined) return []
  if (programRows(observed).length === 0) return [nothingInstalled]
  const own = programs.flatMap((program) => findingsOf(program, observed))
  return [...own, ...speakerless(observed), ...foreign(observed), ...excluded(observed)]
}

const nothingInstalled: Finding = {
  severity: 'error',
  kind: 'Program',
  name: 'landfall',
  reason: 'notInstalled',
  message: 'neither definitions nor pods of Landfall are there',
  next: 'kubectl apply -f manifests/landfall.yaml; if they are in other namespaces, name these (--help).',
}

function findingsOf(program: Program, observed: Observed): readonly Finding[] {
  const { name, label, without } = program
  const pods = podsOf(observed, name)
  const namespace = namespaceOf(program, observed)
  const next = `kubectl -n ${namespace} get pods -l ${label}=${name}; then describe and logs of one`
  if (pods.length === 0) {
    if (!isInstalled(program, observed)) return []
    const message = `there is no pod of it: ${without}`
    return [{ severity: 'error', kind: 'Program', name, reason: 'noPods', message, next }]
  }
  const unready = pods.filter(({ ready }) => !ready)
  if (unready.length === pods.length) {
    const [first] = unready
    const message = `none of ${pods.length} pods is ready: ${without}: ${podsText(unready)}`
    const remedy = first === undefined ? next : lookAt(first)
    return [{ severity: 'error', kind: 'Program', name, reason: 'noPodReady', message, next: remedy }]
  }
  return unready.map((pod) => ({
    severity: 'warning',
    kind: 'Pod',
    name: keyOf(pod.meta),
    reason: 'podNotReady',
    message: `not ready on node ${pod.nodeName}: ${podText(pod)}`,
    next: `kubectl -n ${namespace} describe pod ${pod.meta.name}`,
  }))
}

function speakerless(observed: Observed): readonly Finding[] {
  const speakers = podsOf(observed, 'speaker')
  if (speakers.length === 0) return []
  return observed.nodes.items
    .filter(({ meta }) => !speakers.some(({ nodeName }) => nodeName === meta.name))
    .map(({ meta }) => ({
      severity: 'warning',
      kind: 'Node',
      name: meta.name,
      reason: 'noSpeaker',
      message: 'no speaker runs there: the node announces nothing',
      next: `See whether a taint or a nodeSelector keeps the DaemonSet away: kubectl -n ${observed.places.system} describe daemonset speaker; kubectl describe node ${meta.name}`,
    }))
}

function foreign({ pods }: Observed): readonly Finding[] {
  const found = pods.items.filter(isForeignSpeaker)
  const [first] = found
  if (first === undefined) return []
  return [
    {
      severity: 'warning',
      kind: 'Pod',
      name: keyOf(first.meta),
      reason: 'foreignSpeaker',
      message: `${found.length} ready speakers of MetalLB: what they may announce, Landfall's speakers leave to them`,
      next: endForeignSpeakers(found),
    },
  ]
}

/** Meant, mostly; and yet the reason why an address is not where it is expected. */
function excluded(observed: Observed): readonly Finding[] {
  if (podsOf(observed, 'speaker').length === 0) return []
  return excludedNodes(observed).map((node) => ({
    severity: 'warning',
    kind: 'Node',
    name: node.name,
    reason: node.reason,
    message: `announces nothing: ${node.message}`,
    next: adviceOnExcluded(node, observed),
  }))
}

function isInstalled({ half }: Program, { pools, proxies }: Observed): boolean {
  return (half === 'balancer' ? pools : proxies).gap?.why !== 'notInstalled'
}

function namespaceOf({ half }: Program, { places }: Observed): string {
  return half === 'balancer' ? places.system : places.ingress
}
