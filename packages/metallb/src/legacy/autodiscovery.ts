/**
 * `peer-autodiscovery` of the Kinvolk builds: peers whose parameters stand on the Node objects, as annotations or
 * labels; each is for its own node only. A parameter is looked for in the annotations, then in the labels, then in
 * the defaults. Without `peers` and without `peer-autodiscovery` the labels that the first of those builds read count.
 */
import type { BGPPeer, BGPPeerSpec } from '@landfall/api'
import { parseGoDuration } from '@landfall/api'
import type { Meta, Node } from '@landfall/kube/model'
import { parseIP } from '@landfall/netip'
import { type Problems, problemsOf, type Refusal } from '../refusal.ts'
import { matchesAny } from '../selectors.ts'
import { given, type Made, metaOf } from './made.ts'
import { readNodeSelectors } from './peers.ts'
import type { Section } from './section.ts'

const parameters = [
  'my-asn',
  'peer-asn',
  'peer-address',
  'peer-port',
  'source-address',
  'src-address',
  'hold-time',
  'router-id',
  'password',
] as const
type Parameter = (typeof parameters)[number]
type Values = Partial<Readonly<Record<Parameter, string>>>

export interface Autodiscovery {
  readonly nodeSelectors: ReturnType<typeof readNodeSelectors>
  readonly defaults: Values
  /** Which annotation and label hold a parameter, one entry a peer. */
  readonly annotations: readonly Values[]
  readonly labels: readonly Values[]
}

const firstPrefix = 'metallb.universe.tf/'
const firstParameters = [
  'my-asn',
  'peer-asn',
  'peer-address',
  'peer-port',
  'hold-time',
  'router-id',
  'password',
]

/** The labels of the first build. */
export const firstAutodiscovery: Autodiscovery = {
  nodeSelectors: [],
  defaults: {},
  annotations: [],
  labels: [Object.fromEntries(firstParameters.map((name) => [name, firstPrefix + name]))],
}

export function readAutodiscovery(section: Section): Autodiscovery {
  const defaults = section.section('defaults')
  const found = {
    nodeSelectors: readNodeSelectors(section),
    defaults: defaults === undefined ? {} : readValues(defaults),
    annotations: readMappings(section, 'from-annotations'),
    labels: readMappings(section, 'from-labels'),
  }
  if (found.annotations.length + found.labels.length === 0) {
    section.report(
      'from-labels',
      'MissingField',
      'neither from-annotations nor from-labels says where to look',
    )
  }
  section.finish()
  return found
}

/** A list; an older form was a single mapping. */
function readMappings(section: Section, key: string): readonly Values[] {
  return section.isList(key)
    ? section.sections(key).map(readValues)
    : [section.section(key)].flatMap((one) => (one === undefined ? [] : readValues(one)))
}

function readValues(section: Section): Values {
  const entries = parameters.flatMap((name) => {
    const value = section.text(name)
    return value === undefined ? [] : [[name, value] as const]
  })
  section.finish()
  return Object.fromEntries(entries)
}

/**
 * A node whose parameters are wrong has no peer, and a refusal; one that lacks a parameter just has none, and so has one
 * for which the same session is listed.
 */
export function discoverPeers(
  autodiscovery: Autodiscovery,
  nodes: readonly Node[],
  listed: readonly Made<BGPPeer>[],
  from: Meta,
): { readonly peers: readonly Made<BGPPeer>[]; readonly refusals: readonly Refusal[] } {
  const peers: Made<BGPPeer>[] = []
  const refusals: Refusal[] = []
  const { annotations, labels, nodeSelectors } = autodiscovery
  const count = Math.max(annotations.length, labels.length)
  for (const node of nodes.filter(({ meta }) => matchesAny(nodeSelectors, meta.labels))) {
    for (let index = 0; index < count; index++) {
      const values = valuesOf(autodiscovery, index, node)
      if (!values['my-asn'] || !values['peer-asn'] || !values['peer-address']) continue
      const problems = problemsOf('Node', node)
      const spec = specOf(values, node, problems)
      refusals.push(...problems.found)
      if (problems.found.length > 0 || listed.some(({ object }) => isSession(object.spec, spec, node)))
        continue
      const meta = metaOf(`peer-of-${node.meta.name}${index === 0 ? '' : `-${index + 1}`}`, from)
      peers.push({ object: { meta, spec }, path: `peer-autodiscovery of node ${node.meta.name}`, fields: {} })
    }
  }
  return { peers, refusals }
}

function isSession(listed: BGPPeerSpec, found: BGPPeerSpec, { meta }: Node): boolean {
  const key = ({ peerAddress, peerPort, myASN, peerASN }: BGPPeerSpec) =>
    [peerAddress, peerPort ?? 179, myASN, peerASN].join()
  return key(listed) === key(found) && matchesAny(listed.nodeSelectors ?? [], meta.labels)
}

function valuesOf({ annotations, labels, defaults }: Autodiscovery, index: number, node: Node): Values {
  const entries = parameters.flatMap((name) => {
    const annotation = annotations[index]?.[name]
    const label = labels[index]?.[name]
    const value =
      (annotation === undefined ? undefined : node.meta.annotations[annotation]) ??
      (label === undefined ? undefined : node.meta.labels[label]) ??
      defaults[name]
    return value === undefined || value === '' ? [] : [[name, value] as const]
  })
  return Object.fromEntries(entries)
}

function specOf(values: Values, node: Node, problems: Problems): BGPPeerSpec {
  const whole = (name: Parameter, most: number) => {
    const text = values[name]
    if (text === undefined || (/^[1-9]\d{0,9}$/.test(text) && Number(text) <= most))
      return text && Number(text)
    problems.report(name, 'InvalidValue', `${JSON.stringify(text)} is not a number from 1 to ${most}`)
    return undefined
  }
  const address = (name: Parameter) => {
    const text = values[name]
    if (text !== undefined && parseIP(text) === undefined) {
      problems.report(name, 'InvalidAddress', `${JSON.stringify(text)} is no IP address`)
    }
    return text
  }
  const hold = values['hold-time'] ?? '90s'
  const seconds = Math.trunc(parseGoDuration(hold) ?? -1)
  if (seconds < 0 || (seconds > 0 && seconds < 3)) {
    problems.report('hold-time', 'InvalidValue', `${JSON.stringify(hold)} is not 0s, and not 3s or longer`)
  }
  const hostname = node.meta.labels['kubernetes.io/hostname'] ?? node.meta.name
  return {
    myASN: whole('my-asn', 0xffffffff) || 0,
    ...given('peerASN', whole('peer-asn', 0xffffffff) || undefined),
    ...given('peerAddress', address('peer-address')),
    ...given('peerPort', whole('peer-port', 65535) || undefined),
    ...given('sourceAddress', address('source-address') ?? address('src-address')),
    holdTime: hold,
    ...given('routerID', address('router-id')),
    ...given('password', values.password),
    nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': hostname } }],
  }
}
