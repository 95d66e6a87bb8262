/** What is announced of each Service as of now (pure): the plan, and who owns the layer 2 addresses. */
import type { Key } from '@landfall/kube/model'
import { formatIP } from '@landfall/netip'
import type { Candidate } from './layer2/core/placement.ts'
import type { Layer2State } from './layer2/messages.ts'
import type { Plan } from './plan/planner.ts'
import { type ReasonCode, type Silence, silent } from './plan/reasons.ts'
import type { Layer2Choice, Layer2Part, ServicePlan } from './plan/service-plan.ts'
import type { Service } from './plan/world.ts'

export type ProtocolName = 'layer2' | 'bgp'

export interface Announcement {
  readonly key: Key
  readonly service: Service
  readonly protocol: ProtocolName
  readonly outcome: Outcome
  /** Why no node at all announces it; undefined: some does, or it is not known here. */
  readonly nowhere: Silence | undefined
}

export type Outcome =
  | Announced
  | { readonly kind: 'silent'; readonly reason: ReasonCode; readonly message: string }

export interface Announced {
  readonly kind: 'announced'
  readonly ips: readonly string[]
  /** Layer 2: interfaces that were asked for by name; [] means all. BGP: peers. Sorted. */
  readonly names: readonly string[]
  /** Why nothing of it goes out; undefined: it does. */
  readonly failure: Silence | undefined
  /** Why a part of it does not, while the rest does; undefined: all does. */
  readonly missing: Silence | undefined
}

/** @param keys of Services; all of the plan unless given */
export function announcementsOf(
  plan: Plan,
  state: Layer2State,
  node: string,
  keys: Iterable<Key> = plan.services.keys(),
): readonly Announcement[] {
  return [...keys].flatMap((key) => {
    const part = plan.services.get(key)
    if (part === undefined) return []
    const { service, nowhere } = part
    const layer2 = layer2Outcome(part, state, node)
    return [
      {
        key,
        service,
        protocol: 'layer2' as const,
        outcome: layer2,
        nowhere: nowhere.layer2 ?? withoutSpeaker(part, state),
      },
      { key, service, protocol: 'bgp' as const, outcome: bgpOutcome(part), nowhere: nowhere.bgp },
    ]
  })
}

function layer2Outcome({ layer2 }: ServicePlan, state: Layer2State, node: string): Outcome {
  if (layer2.kind === 'silent') return layer2
  const { announced } = state
  const owned = layer2.addresses.filter(({ ip }) => announced.has(formatIP(ip)))
  if (owned.length > 0) {
    const ips = owned.map(({ ip }) => formatIP(ip))
    const names = owned[0]?.interfaces ?? []
    const mute = ips.filter((ip) => (announced.get(ip) ?? []).length === 0)
    const why = noInterface(names, node, mute.length < ips.length ? mute : [])
    const failure = mute.length === ips.length ? why : undefined
    const partly = mute.length > 0 && failure === undefined ? [why] : []
    const missing = together([...partly, ...unannounced(layer2, state, node)])
    return { kind: 'announced', ips, names, failure, missing }
  }
  if (layer2.notHere !== undefined) return layer2.notHere
  const [first] = layer2.addresses
  return { kind: 'silent', reason: 'notOwner', message: first === undefined ? '' : whose(first, state) }
}

/** Only speakers that watch all the others know the owner. */
function whose({ ip, candidates }: Layer2Choice, { owners, members }: Layer2State): string {
  const owner = owners.get(formatIP(ip)) ?? ''
  if (owner !== '') return `node ${owner} announces it`
  return isAnyAlive(candidates, members)
    ? 'another node announces it, or is about to'
    : 'no other candidate has a living speaker yet'
}

function isAnyAlive(candidates: readonly Candidate[], members: Layer2State['members']): boolean {
  const living = members.filter(({ state }) => state !== 'dead' && state !== 'left')
  return living.some(({ node }) => candidates.some((candidate) => candidate.node === node))
}

/** Addresses of a Service that no node announces, while this one announces others of it; as far as it is known here. */
function unannounced(
  { addresses, left }: Layer2Part,
  { owners, members }: Layer2State,
  here: string,
): readonly Silence[] {
  const ownerless = addresses
    .filter(({ ip, candidates }) => {
      const mayBeOwned = candidates.some(({ node }) => node === here) || isAnyAlive(candidates, members)
      return !mayBeOwned && (owners.get(formatIP(ip)) ?? '') === ''
    })
    .map(({ ip, candidates }) => ({ ip, why: noneAlive(candidates) }))
  return [...left, ...ownerless].map(({ ip, why: { reason, message } }) =>
    silent(reason, `not announced by layer 2: ${formatIP(ip)}: ${message}`),
  )
}

function noneAlive(candidates: readonly Candidate[]): Silence {
  const nodes = [...new Set(candidates.map(({ node }) => node))].toSorted()
  return silent('noLivingSpeaker', `no speaker is alive on ${nodes.join(', ')}`)
}

/** By the code of the first. */
function together(all: readonly Silence[]): Silence | undefined {
  const [first] = all
  return first && silent(first.reason, all.map(({ message }) => message).join('; '))
}

function noInterface(names: readonly string[], node: string, ips: readonly string[]): Silence {
  const what = ips.length === 0 ? '' : ` ${ips.join(' and ')}`
  const which = names.length === 0 ? 'no interface' : `none of the interfaces ${names.join(', ')}`
  return silent('announceFailed', `${which} of node "${node}" can announce${what} with protocol "layer2"`)
}

/** Somebody may announce it, and nobody of them is there. */
function withoutSpeaker({ layer2 }: ServicePlan, { owners }: Layer2State): Silence | undefined {
  if (layer2.kind === 'silent') return undefined
  if (layer2.addresses.some(({ ip }) => (owners.get(formatIP(ip)) ?? '') !== '')) return undefined
  return noneAlive(layer2.addresses.flatMap(({ candidates }) => candidates))
}

function bgpOutcome({ bgp }: ServicePlan): Outcome {
  if (bgp.kind === 'silent') return bgp
  const names = [...bgp.routes.keys()].toSorted()
  return { kind: 'announced', ips: bgp.ips.map(formatIP), names, failure: undefined, missing: undefined }
}
