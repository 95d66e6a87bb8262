/** Pools and their use: of objects from what the controller says in their statuses, of a ConfigMap by counting. */
import type { IPAddressPool } from '@landfall/api'
import { countedUsage, fullnessOf } from '@landfall/lb/allocation'
import type { Pool } from '@landfall/metallb'
import { compareIP, type IP, parseIP, type Range } from '@landfall/netip'
import { advertisementLack, type AdvertisementLack as Lack } from '../facts/advertisement-lack.ts'
import { adviceOnFullness } from '../facts/allocation-lack.ts'
import { conditionOf, type Said } from '../facts/condition.ts'
import { rulingConfigMap } from '../facts/configuration.ts'
import { placeText, saidOf } from '../facts/place.ts'
import { type PoolFact, poolFacts } from '../facts/pools.ts'
import type { Observed } from '../observed.ts'
import type { Finding } from './finding.ts'
import { balanced, isOurs } from './services.ts'

export interface PoolRow {
  readonly name: string
  /** As `IPAddressPool metallb-system/lan`, or `ConfigMap metallb-system/config address-pools[0]`. */
  readonly writtenIn: string
  readonly addresses: readonly string[]
  readonly ipv4: Use
  readonly ipv6: Use
  /** By what, as `L2Advertisement lan`; [] for nothing. */
  readonly announced: readonly string[]
  readonly autoAssign: boolean
  /** `ok`, or the reason of what says otherwise. */
  readonly state: string
}

export interface Use {
  readonly assigned: number
  readonly total: number
}

export function poolRows(observed: Observed): readonly PoolRow[] {
  return poolFacts(observed)
    .map((fact) => {
      const { name, addresses, advertised, autoAssign, place } = fact
      const { ipv4, ipv6, state } = judgementOf(fact, observed)
      const writtenIn = placeText(place)
      const lack = state === 'ok' && muteness(fact, observed) !== undefined
      const seen = lack ? 'noMatchingAdvertisement' : state
      return { name, writtenIn, addresses, ipv4, ipv6, announced: advertised, autoAssign, state: seen }
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

interface Judgement extends Pick<PoolRow, 'ipv4' | 'ipv6' | 'state'> {
  /** That it is nearly full. */
  readonly full: Pick<Said, 'reason' | 'message'> | undefined
}

function judgementOf(fact: PoolFact, observed: Observed): Judgement {
  return fact.object === undefined ? ofConfigMap(fact, observed) : ofObject(fact.object, fact, observed)
}

function ofObject(object: IPAddressPool, { pool }: PoolFact, observed: Observed): Judgement {
  const { assignedIPv4, availableIPv4 = 0, assignedIPv6 = 0, availableIPv6 = 0 } = object.status ?? {}
  const valid = conditionOf(object, 'Valid')
  const said = conditionOf(object, 'NearlyFull')
  const full = said?.status === 'True' ? said : undefined
  const state = valid?.status === 'True' ? (full?.reason ?? 'ok') : (valid?.reason ?? 'not judged')
  // Definitions of MetalLB v0.13 have no place for counters.
  if (assignedIPv4 === undefined && pool?.refused === false)
    return { ...counted(pool, observed), state, full }
  return {
    ipv4: { assigned: assignedIPv4 ?? 0, total: (assignedIPv4 ?? 0) + availableIPv4 },
    ipv6: { assigned: assignedIPv6, total: assignedIPv6 + availableIPv6 },
    state,
    full,
  }
}

/** Nobody writes of it how full it is. */
function ofConfigMap({ pool, place }: PoolFact, observed: Observed): Judgement {
  const { usable, refusals } = rulingConfigMap(observed) ?? { usable: true, refusals: [] }
  if (pool === undefined || !usable) {
    const none = { assigned: 0, total: 0 }
    const own = refusals.find(({ field }) => field.startsWith(`${place.at}.`)) ?? refusals[0]
    return { ipv4: none, ipv6: none, state: own?.reason ?? '', full: undefined }
  }
  const { full, ...use } = counted(pool, observed)
  return { ...use, state: full?.reason ?? 'ok', full }
}

/** By the addresses in the statuses of Services. */
function counted(pool: Pool, observed: Observed): Omit<Judgement, 'state'> {
  const held = heldAddresses(observed)
  const usage = countedUsage(pool, { heldIn: (range) => BigInt(countIn(range, held)) })
  const use = ({ assigned, total }: typeof usage.v4): Use => ({
    assigned: Number(assigned),
    total: Number(total),
  })
  const said = fullnessOf(usage)
  const full = said.status === 'True' ? said : undefined
  return { ipv4: use(usage.v4), ipv6: use(usage.v6), full }
}

/** Made once for what was observed. */
const known = new WeakMap<Observed, readonly IP[]>()

/** Each once: some are shared. */
function heldAddresses(observed: Observed): readonly IP[] {
  const found = known.get(observed)
  if (found !== undefined) return found
  const all = balanced(observed)
    .filter((service) => isOurs(service, observed))
    .flatMap(({ ingress }) => ingress.flatMap(({ ip }) => ip ?? []))
  const held = [...new Set(all)].flatMap((text) => parseIP(text) ?? [])
  known.set(observed, held)
  return held
}

function countIn({ first, last }: Range, held: readonly IP[]): number {
  return held.filter(
    (ip) => ip.family === first.family && compareIP(first, ip) <= 0 && compareIP(ip, last) <= 0,
  ).length
}

/** Why nobody announces what is in it; undefined: it is advertised, or it cannot be told. */
function muteness({ name, object, advertised }: PoolFact, observed: Observed): Lack | undefined {
  const isRead = object?.meta.namespace === observed.places.system
  return isRead && advertised.length === 0 ? advertisementLack(observed, [name]) : undefined
}

/** What is wrong with the configuration is found with the objects; here only that a pool is full, or mute. */
export function poolFindings(observed: Observed): readonly Finding[] {
  return poolFacts(observed).flatMap((fact): readonly Finding[] => {
    const { name, place } = fact
    const about = { severity: 'warning', kind: place.kind, name: place.name } as const
    const { full } = judgementOf(fact, observed)
    const found: Finding[] = []
    if (full !== undefined) {
      const next = adviceOnFullness(fact)
      found.push({ ...about, reason: full.reason, message: saidOf(place, name, full.message), next })
    }
    const lack = muteness(fact, observed)
    if (lack !== undefined) found.push({ ...about, reason: 'noMatchingAdvertisement', ...lack })
    return found
  })
}
