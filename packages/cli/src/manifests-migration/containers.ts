/**
 * What of a pod of MetalLB is kept: its program, with another image. What runs FRR beside it goes (containers, init
 * containers, volumes, variables, kernel rights), and what answers webhooks. In: a pod's spec as parsed. Out: another, and
 * what was dropped.
 */
export type Fields = Readonly<Record<string, unknown>>

export interface Kept {
  readonly spec: Fields
  /** `container frr`, `init container cp-frr-files`, … */
  readonly dropped: readonly string[]
}

const sidecars = ['frr', 'reloader', 'frr-metrics', 'kube-rbac-proxy-frr']
const variablesOfFrr = /^(FRR_|FRRK8S_|METALLB_BGP_TYPE$)/
const flagsOfFrr = /^--?(frrk8s-|bgp-debounce-timeout)/
const flagsOfWebhooks = /^--?(webhook-|cert-service-name|cert-dir|disable-cert-rotation)/
const volumesOfFrr = /^(frr(-|$)|reloader$|metrics$)/
const certificate = 'k8s-webhook-server'
/** What announcing by layer 2 and BGP needs; FRR needs more. */
const rights = ['NET_RAW', 'net_raw']

/** @returns undefined when the pod has no container of that name */
export function keepProgram(pod: Fields, program: string, image: string): Kept | undefined {
  const containers = list(pod['containers'])
  const own = containers.find(({ name }) => name === program)
  if (own === undefined) return undefined
  const dropped: string[] = []
  const keep = (all: readonly Fields[], what: string, goes: (one: Fields) => boolean) =>
    all.filter((one) => {
      if (goes(one)) dropped.push(`${what} ${text(one['name'])}`)
      return !goes(one)
    })
  const isCertificate = ({ mountPath }: Fields) => text(mountPath).includes(certificate)
  const mounts = list(own['volumeMounts'])
  const certificates = mounts.filter(isCertificate).map(({ name }) => text(name))
  const ofFrr = ({ name }: Fields) => volumesOfFrr.test(text(name))
  const goes = (one: Fields) => ofFrr(one) || certificates.includes(text(one['name']))
  const keptInit = keep(list(pod['initContainers']), 'init container', ({ name }) =>
    text(name).startsWith('cp-'),
  )
  const others = keep(containers, 'container', ({ name }) => sidecars.includes(text(name)))
  const volumes = keep(list(pod['volumes']), 'volume', goes)
  const changed: Fields = {
    ...own,
    image,
    args: keptArguments(own['args'], dropped),
    env: keep(list(own['env']), 'variable', ({ name }) => variablesOfFrr.test(text(name))),
    ports: keep(list(own['ports']), 'port', ({ name }) => name === 'webhook-server'),
    volumeMounts: mounts.filter((one) => !goes(one)),
    securityContext: keptRights(fields(own['securityContext']), dropped),
  }
  const { shareProcessNamespace, ...rest } = pod
  if (shareProcessNamespace === true) dropped.push('shareProcessNamespace')
  const spec = {
    ...rest,
    initContainers: keptInit,
    containers: others.map((one) => (one === own ? withoutEmpty(changed) : one)),
    volumes,
  }
  return { spec: withoutEmpty(spec), dropped }
}

function keptArguments(args: unknown, dropped: string[]): readonly string[] {
  const all = Array.isArray(args) ? args.map(text) : []
  return all.filter((one) => {
    const goes = flagsOfFrr.test(one) || flagsOfWebhooks.test(one)
    if (goes) dropped.push(`flag ${one}`)
    return !goes
  })
}

function keptRights(context: Fields, dropped: string[]): Fields {
  const capabilities = fields(context['capabilities'])
  const { add } = capabilities
  if (!Array.isArray(add)) return context
  const kept = add.map(text).filter((name) => rights.includes(name))
  for (const name of add.map(text)) if (!rights.includes(name)) dropped.push(`capability ${name}`)
  return { ...context, capabilities: { ...capabilities, add: kept } }
}

/** Lists and objects that hold nothing say nothing. */
function withoutEmpty(all: Fields): Fields {
  const says = (value: unknown) =>
    typeof value !== 'object' || value === null || Object.keys(value).length > 0
  return Object.fromEntries(Object.entries(all).filter(([, value]) => says(value)))
}

export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : []
}

export function fields(value: unknown): Fields {
  return isFields(value) ? value : {}
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
