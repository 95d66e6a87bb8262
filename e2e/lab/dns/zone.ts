// What cluster DNS says: the names of Services by the Kubernetes DNS specification 1.1 (without PTR).
// In: Services and EndpointSlices; a question. Out: an answer. A name that exists without a record of
// the asked type is no error: a resolver that hears "no such name" for AAAA also drops its A.
import { isIPv6 } from 'node:net'
import { type Answer, CODE, type DnsRecord, type Question, TYPE } from './message.ts'

export interface DnsService {
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly spec: {
    readonly type?: string
    readonly clusterIPs?: readonly string[]
    readonly externalName?: string
    readonly publishNotReadyAddresses?: boolean
    readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port: number }[]
  }
}

export interface DnsEndpointSlice {
  readonly metadata: {
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly endpoints?: readonly {
    readonly addresses: readonly string[]
    readonly hostname?: string
    readonly conditions?: { readonly ready?: boolean }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port?: number }[]
}

export interface World {
  readonly service: (namespace: string, name: string) => DnsService | undefined
  readonly slices: (namespace: string, service: string) => readonly DnsEndpointSlice[]
}

export const ZONE = 'cluster.local'
const TTL = 5

interface Target {
  readonly name: string
  readonly addresses: readonly string[]
}

export function answer(question: Pick<Question, 'name' | 'type' | 'opcode'>, world: World): Answer {
  if (question.opcode !== 0) return empty(CODE.notImplemented)
  const suffix = `.svc.${ZONE}`
  if (!question.name.endsWith(suffix)) return empty(question.name === ZONE ? CODE.ok : CODE.noSuchName)
  const labels = question.name.slice(0, -suffix.length).split('.')
  const [name = '', namespace = ''] = labels.slice(-2)
  const service = world.service(namespace, name)
  if (service === undefined) return empty(CODE.noSuchName)
  const before = labels.slice(0, -2)
  if (before.length === 0) return serviceAnswer(question, service, world)
  if (before.length === 1) return endpointAnswer(question, before[0] ?? '', service, world)
  const [port = '', protocol = ''] = before
  return before.length === 2 && port.startsWith('_') && protocol.startsWith('_')
    ? portAnswer(question, port.slice(1), protocol.slice(1), service, world)
    : empty(CODE.noSuchName)
}

function serviceAnswer(question: Pick<Question, 'name' | 'type'>, service: DnsService, world: World): Answer {
  const { externalName, type } = service.spec
  if (type === 'ExternalName' && externalName !== undefined) {
    return found([{ kind: 'CNAME', name: question.name, ttl: TTL, target: externalName }])
  }
  const addresses = isHeadless(service)
    ? targetsOf(service, world, question.name).flatMap((target) => target.addresses)
    : (service.spec.clusterIPs ?? [])
  return found(addressRecords(question.name, addresses).filter((record) => asked(question.type, record)))
}

/** `<hostname>.<service>` of a headless Service, or the address with dashes. */
function endpointAnswer(
  question: Pick<Question, 'name' | 'type'>,
  hostname: string,
  service: DnsService,
  world: World,
): Answer {
  const zone = question.name.slice(hostname.length + 1)
  const target = isHeadless(service)
    ? targetsOf(service, world, zone).filter(({ name }) => name === question.name)
    : []
  if (target.length === 0) return empty(CODE.noSuchName)
  const records = addressRecords(
    question.name,
    target.flatMap(({ addresses }) => addresses),
  )
  return found(records.filter((record) => asked(question.type, record)))
}

function portAnswer(
  question: Pick<Question, 'name' | 'type'>,
  port: string,
  protocol: string,
  service: DnsService,
  world: World,
): Answer {
  const base = question.name.split('.').slice(2).join('.')
  const headless = isHeadless(service)
  const ports = headless
    ? world.slices(service.metadata.namespace, service.metadata.name).flatMap((slice) => slice.ports ?? [])
    : (service.spec.ports ?? [])
  const number = ports.find(
    (p) => (p.name ?? '') === port && (p.protocol ?? 'TCP').toLowerCase() === protocol,
  )?.port
  if (number === undefined) return empty(CODE.noSuchName)
  const targets: readonly Target[] = headless
    ? targetsOf(service, world, base)
    : [{ name: base, addresses: service.spec.clusterIPs ?? [] }]
  const names = [...new Set(targets.map(({ name }) => name))]
  if (question.type !== TYPE.SRV && question.type !== TYPE.ANY) return found([])
  return {
    ...found(names.map((target) => ({ kind: 'SRV', name: question.name, ttl: TTL, port: number, target }))),
    additional: targets.flatMap(({ name, addresses }) => addressRecords(name, addresses)),
  }
}

function targetsOf(service: DnsService, world: World, base: string): readonly Target[] {
  const { namespace, name } = service.metadata
  const all = service.spec.publishNotReadyAddresses === true
  return world
    .slices(namespace, name)
    .flatMap((slice) => slice.endpoints ?? [])
    .filter((endpoint) => all || endpoint.conditions?.ready !== false)
    .map(({ hostname, addresses }) => {
      const label = hostname ?? (addresses[0] ?? '').replace(/[.:]/g, '-')
      return { name: `${label}.${base}`, addresses }
    })
}

function isHeadless(service: DnsService): boolean {
  return service.spec.clusterIPs?.[0] === 'None'
}

function addressRecords(name: string, addresses: readonly string[]): readonly DnsRecord[] {
  return [...new Set(addresses)].map((address) =>
    isIPv6(address) ? { kind: 'AAAA', name, ttl: TTL, address } : { kind: 'A', name, ttl: TTL, address },
  )
}

function asked(type: number, record: DnsRecord): boolean {
  return type === TYPE.ANY || type === TYPE[record.kind]
}

function found(answers: readonly DnsRecord[]): Answer {
  return { code: CODE.ok, answers, additional: [], zone: ZONE }
}

function empty(code: number): Answer {
  return { code, answers: [], additional: [], zone: ZONE }
}
