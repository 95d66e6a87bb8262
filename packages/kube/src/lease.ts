/**
 * What a candidate does about a Lease (coordination.k8s.io/v1) that it has just read: pure. Another's lease is judged
 * by how long ago the local clock saw it change, never by the times written in it.
 */
import type { RawObject } from './resource.ts'

export interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/** When a version of the lease was seen first, in milliseconds of a monotonic clock. */
export interface Sighting {
  readonly version: string
  readonly at: number
}

export interface Candidate {
  readonly identity: string
  readonly leaseSeconds: number
}

export function leaseSpec(lease: RawObject): LeaseSpec {
  const { spec } = lease
  return typeof spec === 'object' && spec !== null ? spec : {}
}

export function sight(lease: RawObject, before: Sighting | undefined, now: number): Sighting {
  const version = lease.metadata.resourceVersion ?? ''
  return before?.version === version ? before : { version, at: now }
}

/** @returns the spec to write, or undefined while another holds the lease */
export function claim(
  spec: LeaseSpec,
  candidate: Candidate,
  sighting: Sighting,
  now: number,
  wallClock: Date,
): LeaseSpec | undefined {
  const ours = spec.holderIdentity === candidate.identity
  const lifeMs = (spec.leaseDurationSeconds ?? candidate.leaseSeconds) * 1000
  if (spec.holderIdentity && !ours && now - sighting.at < lifeMs) return undefined
  const time = microTime(wallClock)
  return {
    ...spec,
    holderIdentity: candidate.identity,
    leaseDurationSeconds: candidate.leaseSeconds,
    renewTime: time,
    acquireTime: ours ? (spec.acquireTime ?? time) : time,
    leaseTransitions: (spec.leaseTransitions ?? 0) + (ours ? 0 : 1),
  }
}

export function firstClaim(candidate: Candidate, wallClock: Date): LeaseSpec {
  const time = microTime(wallClock)
  return {
    holderIdentity: candidate.identity,
    leaseDurationSeconds: candidate.leaseSeconds,
    acquireTime: time,
    renewTime: time,
    leaseTransitions: 0,
  }
}

/** The lease as it is left behind: free at once. */
export function released(spec: LeaseSpec): LeaseSpec {
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1 }
}

/** metav1.MicroTime. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z')
}
