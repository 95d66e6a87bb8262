/** Which names of the handshake lead to which chain, and that a host below a wildcard of its certificate changes nothing. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openAccess } from '../dag/access.ts'
import type { ChainRequest } from '../envoy/secure-chains.ts'
import { Chains } from './chains.ts'

function from(secret: string, ...wildcards: readonly string[]): ChainRequest {
  const settings = { secret, minimum: '1.2', maximum: '1.3', clients: undefined, forward: undefined } as const
  return { kind: 'http', settings, access: openAccess, wildcards }
}

const fallback: ChainRequest = {
  kind: 'fallback',
  settings: { secret: 'z/fallback', minimum: '1.2', maximum: '1.3', clients: undefined, forward: undefined },
}
const fetched: ChainRequest = { kind: 'on-demand', minimum: '1.2', maximum: '1.3', access: openAccess }

/** By Secret, or kind. */
function namesOf(chains: Chains): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    chains.all.flatMap((chain) => {
      if (chain.kind === 'http') return [[chain.settings.secret, [...chain.names].toSorted()]]
      return chain.kind === 'on-demand' ? [[chain.kind, [...chain.names].toSorted()]] : []
    }),
  )
}

function chainsOf(hosts: Readonly<Record<string, ChainRequest>>, named = true): Chains {
  const chains = new Chains(named)
  for (const [host, request] of Object.entries(hosts)) chains.replace(host, undefined, request)
  return chains
}

const wild = from('web/wild', '*.d')

describe('the names by which chains are taken', () => {
  test('the wildcard of a certificate stands for its hosts; others below it are named', () => {
    const own = from('web/own')
    expect(namesOf(chainsOf({ 'a.d': wild, 'b.d': wild, 'c.d': own, 'x.a.d': wild, d: wild }))).toEqual({
      'web/wild': ['*.d', 'd', 'x.a.d'],
      'web/own': ['c.d'],
    })
  })

  test('of two certificates with one wildcard one has it, whoever came first', () => {
    const other = from('team/wild', '*.d')
    const both = { 'web/wild': ['b.d'], 'team/wild': ['*.d'] }
    expect(namesOf(chainsOf({ 'a.d': other, 'b.d': wild }))).toEqual(both)
    expect(namesOf(chainsOf({ 'b.d': wild, 'a.d': other }))).toEqual(both)
  })

  test('names below a wildcard host are its own, whatever certificate others have for them', () => {
    const host = from('a/host')
    expect(namesOf(chainsOf({ '*.d': host, 'a.d': wild }))).toEqual({
      'a/host': ['*.d'],
      'web/wild': ['a.d'],
    })
    expect(namesOf(chainsOf({ '*.d': wild, 'a.d': wild }))).toEqual({ 'web/wild': ['*.d'] })
    const deep = from('web/deep', '*.e.d')
    expect(namesOf(chainsOf({ '*.d': host, 'a.e.d': deep }))).toEqual({
      'a/host': ['*.d'],
      'web/deep': ['a.e.d'],
    })
  })

  test('hosts whose certificates are fetched are named where a wildcard would take them', () => {
    expect(namesOf(chainsOf({ 'a.d': wild, 'b.d': fetched, 'c.e': fetched }))).toEqual({
      'web/wild': ['*.d'],
      'on-demand': ['b.d'],
    })
  })

  test('with a fallback certificate all hosts are named: names that are none of theirs are for that', () => {
    const chains = chainsOf({ 'a.d': wild, 'b.e': fetched })
    expect(chains.replace('a.d', undefined, fallback)).toBe(true)
    expect(namesOf(chains)).toEqual({ 'web/wild': ['a.d'], 'on-demand': ['b.e'] })
    expect(chains.replace('a.d', fallback, undefined)).toBe(true)
    expect(namesOf(chains)).toEqual({ 'web/wild': ['*.d'], 'on-demand': [] })
  })
})

describe('the listener changes', () => {
  test('with the first and the last host below the wildcard of a certificate, and with none between', () => {
    const chains = chainsOf({})
    expect(chains.replace('a.d', undefined, wild)).toBe(true)
    expect(chains.replace('b.d', undefined, wild)).toBe(false)
    expect(chains.replace('a.d', wild, undefined)).toBe(false)
    expect(chains.replace('b.d', wild, undefined)).toBe(true)
    expect(chains.size).toBe(0)
  })

  test('with every host where each has a chain of its own', () => {
    const chains = chainsOf({ 'a.d': wild }, false)
    expect(chains.replace('b.d', undefined, wild)).toBe(true)
  })

  test('with the names of the certificate', () => {
    const chains = chainsOf({ 'a.d': wild })
    expect(chains.replace('a.d', wild, from('web/wild'))).toBe(true)
    expect(namesOf(chains)).toEqual({ 'web/wild': ['a.d'] })
  })

  const requests: readonly ChainRequest[] = [
    from('web/wild', '*.d', '*.e.d'),
    from('a/wild', '*.d'),
    from('web/own'),
    fetched,
    fallback,
    { kind: 'tcp', host: '*.d', settings: undefined, targets: [] },
  ]
  const host = fc.constantFrom('a.d', 'b.d', 'c.e.d', '*.d', '*.e.d', 'd', 'x.other')
  const step = fc.record({ host, request: fc.option(fc.constantFrom(...requests), { nil: undefined }) })

  test('whenever what it names does, and what it names does not depend on what was before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const chains = new Chains(true)
        const held = new Map<string, ChainRequest>()
        for (const { host: name, request } of steps) {
          const before = namesOf(chains)
          const changed = chains.replace(name, held.get(name), request)
          if (request === undefined) held.delete(name)
          else held.set(name, request)
          const after = namesOf(chains)
          expect(changed || JSON.stringify(after) === JSON.stringify(before)).toBe(true)
          expect(after).toEqual(namesOf(chainsOf(Object.fromEntries(held))))
        }
      }),
    )
  })
})
