/** Who else has a hand in an address: another Service, another program, a second node. */
import { keyOf } from '@landfall/kube/model'
import type { BalancedService, Observed, Places, PodFacts } from '../observed.ts'
import { editing } from './advice.ts'
import { announcersOf } from './announcers.ts'
import { conditionIn } from './condition.ts'
import { otherBalancers } from './other-balancers.ts'

export interface Contention {
  readonly reason: 'addressTwice' | 'addressOverwritten' | 'foreignSpeaker' | 'twoAnnouncers'
  readonly message: string
  readonly next: string
  /** It is said of the other Service, too, and better. */
  readonly mirrored?: boolean
}

const sharing = ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip']
/** Of Landfall's controller, and of MetalLB's. */
const controllers = ['landfall-controller', 'controller']

export function contentionsOf(service: BalancedService, observed: Observed): readonly Contention[] {
  return [
    ...twins(service, observed),
    ...overwritten(service, observed),
    ...secondAnnouncer(service, observed),
    ...foreignSpeakers(service, observed),
  ]
}

function twins(service: BalancedService, observed: Observed): readonly Contention[] {
  const { services, places } = observed
  return (
    services.items
      .filter((other) => other !== service && other.type === 'LoadBalancer' && !shares(service, other))
      .filter((other) => addressesOf(service).some((address) => addressesOf(other).includes(address)))
      // What other load balancers do among themselves is theirs: some give nodes' addresses to many.
      .filter((other) => isAnswered(service) || isAnswered(other))
      .map((other) => {
        const both = addressesOf(service).filter((address) => addressesOf(other).includes(address))
        const [stand, them] = both.length === 1 ? ['is', 'it'] : ['are', 'them']
        const [own, strange] = isAnswered(service) ? [service, other] : [other, service]
        return {
          reason: 'addressTwice' as const,
          message: `${both.join(' and ')} ${stand} also in the status of Service ${keyOf(other.meta)}${classText(other)}: two programs gave ${them} away${strangerText(strange, observed)}`,
          next: apart(places, own, strange),
          mirrored: isAnswered(other) && (!isAnswered(service) || keyOf(other.meta) < keyOf(service.meta)),
        }
      })
  )
}

/** The program that gave an address to the Service: by who wrote its status, and by the pods that run here. */
function strangerText(service: BalancedService, observed: Observed): string {
  const writer = writerOf(service)
  const wrote = writer === undefined ? '' : `; "${writer}" wrote the status of ${keyOf(service.meta)}`
  return `${wrote}${runningText(observed)}`
}

function runningText(observed: Observed): string {
  const all = otherBalancers(observed)
  return all.length === 0 ? '' : `; other load balancers with pods here: ${all.join(', ')}`
}

/** Who wrote the addresses last, unless that is a controller of ours or of MetalLB. */
function writerOf({ addressWriters }: BalancedService): string | undefined {
  const writer = addressWriters.at(-1)
  return writer === undefined || controllers.includes(writer) ? undefined : writer
}

/** The address of `own` may be in use: the other Service gives way. */
function apart(places: Places, own: BalancedService, other: BalancedService): string {
  const pool = own.meta.annotations['metallb.io/ip-allocated-from-pool'] ?? ''
  const range = pool === '' ? `the addresses of Service ${keyOf(own.meta)}` : `the addresses of pool ${pool}`
  const who = other.loadBalancerClass === '' ? 'the other program' : `the controller${classText(other)}`
  const edit = pool === '' ? '' : ` (${editing('IPAddressPool', `${places.system}/${pool}`)})`
  return `Keep ${range} out of the range of ${who}, or its range out of the pool${edit}; then have it give Service ${keyOf(other.meta)} another address: ${emptied(other)}${unnamed(other)}`
}

/** Where its writer is not told: how to see it. */
function unnamed(service: BalancedService): string {
  return isAnswered(service) || writerOf(service) !== undefined ? '' : `; who wrote it: ${writers(service)}`
}

function writers({ meta }: BalancedService): string {
  return `kubectl -n ${meta.namespace} get service ${meta.name} -o yaml --show-managed-fields`
}

/** The command after which its balancer gives it another address. */
function emptied({ meta }: BalancedService): string {
  const { namespace, name } = meta
  return `kubectl -n ${namespace} patch service ${name} --subresource=status --type=merge -p '{"status":{"loadBalancer":{"ingress":null}}}'`
}

function isAnswered({ conditions }: BalancedService): boolean {
  return conditionIn(conditions, 'metallb.io/AddressAllocated') !== undefined
}

function classText({ loadBalancerClass }: BalancedService): string {
  return loadBalancerClass === '' ? '' : ` of class ${loadBalancerClass}`
}

function shares(a: BalancedService, b: BalancedService): boolean {
  const keys = [a, b].map(({ meta }) => sharing.map((name) => meta.annotations[name] ?? '').join(''))
  return keys[0] !== '' && keys[0] === keys[1]
}

/** What our condition says it was given is not what stands in the status, and somebody else wrote it last. */
function overwritten(service: BalancedService, observed: Observed): readonly Contention[] {
  const allocated = conditionIn(service.conditions, 'metallb.io/AddressAllocated')
  const writer = writerOf(service)
  if (allocated?.status !== 'True' || writer === undefined) return []
  const strange = addressesOf(service).filter(
    (address) => !allocated.message.includes(`${address} from pool`),
  )
  if (strange.length === 0) return []
  return [
    {
      reason: 'addressOverwritten',
      message: `the status says ${strange.join(', ')}, written by "${writer}"; the controller gave ${allocated.message}${runningText(observed)}`,
      next: `End the other load balancer ("${writer}"; with k3s: --disable=servicelb), or leave the Service to it: make it anew with the other's spec.loadBalancerClass. What is written now: ${writers(service)}`,
    },
  ]
}

function secondAnnouncer(service: BalancedService, observed: Observed): readonly Contention[] {
  const nodes = announcersOf(observed, service.meta).layer2.map(({ node }) => node)
  if (new Set(nodes).size < 2) return []
  return [
    {
      reason: 'twoAnnouncers',
      message: `nodes ${nodes.join(' and ')} both say that they answer for it by layer 2`,
      next: `Wait a minute: one of the two reports is old. If it stays, see whether the speakers reach each other (port 7946): kubectl -n ${observed.places.system} logs -l component=speaker --tail=-1 | grep memberLost`,
    },
  ]
}

function foreignSpeakers(service: BalancedService, { pods }: Observed): readonly Contention[] {
  if (service.loadBalancerClass !== '' || addressesOf(service).length === 0) return []
  const found = pods.items.filter(isForeignSpeaker)
  const [first] = found
  if (first === undefined) return []
  return [
    {
      reason: 'foreignSpeaker',
      message: `${found.length} ready speakers of MetalLB (${keyOf(first.meta)} …) announce addresses beside Landfall's`,
      next: endForeignSpeakers(found),
    },
  ]
}

/** By what made them. */
export function endForeignSpeakers(pods: readonly PodFacts[]): string {
  const sets = pods.map(({ meta, workload }) => {
    const [kind = 'Pod', name = meta.name] = workload === '' ? [] : workload.split(' ')
    return `kubectl -n ${meta.namespace} delete ${kind.toLowerCase()} ${name}`
  })
  return `End them, when the swap is over (docs/swap.md), for until then Landfall's speakers leave addresses to them: ${[...new Set(sets)].join('; ')}`
}

/** By the name of their image. (The speakers know their own by more than that.) */
export function isForeignSpeaker({ images, ready, meta }: Observed['pods']['items'][number]): boolean {
  return (
    ready &&
    meta.labels['component'] === 'speaker' &&
    images.some((image) => /metallb/i.test(image) && !/landfall/i.test(image))
  )
}

function addressesOf({ ingress }: BalancedService): readonly string[] {
  return ingress.flatMap(({ ip }) => ip ?? [])
}
