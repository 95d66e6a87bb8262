/** What each type of resource is poisoned by, how it shows that the last good one serves on, and how it is mended. */
import { X509Certificate } from 'node:crypto'
import type { RawObject } from '@landfall/kube'
import { handshake } from '../../ingress/handshake.ts'
import { hostOf, namespace, proxyObject, sliceObject } from '../../ingress/objects.ts'
import { podAddress } from '../../ingress/own-network.ts'
import { Prober } from '../../ingress/prober.ts'
import { answers } from '../../ingress/running-site.ts'
import type { IngressSite } from '../../ingress/site.ts'
import type { Authority } from '../../scenarios/certificate.ts'

export interface Stage {
  readonly site: IngressSite
  readonly authority: Authority
}

export interface Case {
  /** Of the host that has it. */
  readonly name: string
  readonly prepare: (stage: Stage) => Promise<unknown>
  readonly poison: (stage: Stage) => Promise<unknown>
  readonly servesOn: (stage: Stage) => Promise<boolean>
  /** Envoy's, in the status of the host's owner; undefined: it is nobody's object. */
  readonly words: RegExp | undefined
  readonly mend: (stage: Stage) => Promise<unknown>
  readonly mended: (stage: Stage) => Promise<boolean>
  /** The hosts that come beside it are in the same resource: who is at fault is found by trying parts of it. */
  readonly shared?: true
}

const well = 'poison-well'

/** Also hosts, Services and Secrets: `xds/load/poisoned-resource.ts` looks for these. */
const at = {
  clusters: 'poison-clusters',
  endpoints: 'poison-endpoints',
  scopes: 'poison-scopes',
  secrets: 'poison-secrets',
  listeners: 'poison-listeners',
  tables: 'poison-tables',
  table: 'poison-table',
} as const

export const scopedCases: readonly Case[] = [
  {
    name: at.clusters,
    prepare: async (stage) => {
      await stage.site.objects.createServices([at.clusters])
      await withHost(stage, well, at.clusters)
    },
    poison: (stage) => moved(stage, at.clusters),
    servesOn: (stage) => says(stage, at.clusters, '/version', 'first'),
    words: /cluster.provided/i,
    mend: (stage) => moved(stage, well),
    mended: (stage) => says(stage, at.clusters, '/version', 'second'),
  },
  {
    name: at.endpoints,
    prepare: (stage) => withHost(stage, at.endpoints),
    poison: (stage) => endpoint(stage, '10.244.66.6'),
    servesOn: (stage) => says(stage, at.endpoints, '/', podAddress(0)),
    words: /priority/i,
    mend: (stage) => endpoint(stage, podAddress(3)),
    mended: (stage) => says(stage, at.endpoints, '/', podAddress(3)),
  },
  {
    name: at.scopes,
    prepare: (stage) => withHost(stage, at.scopes),
    poison: ({ site }) => site.objects.replace('proxy', proxyObject(at.scopes, { version: 'POISON' })),
    servesOn: (stage) => says(stage, at.scopes, '/version', 'first'),
    words: /unique values for domains/i,
    mend: ({ site }) => site.objects.replace('proxy', proxyObject(at.scopes, { version: 'second' })),
    mended: (stage) => says(stage, at.scopes, '/version', 'second'),
  },
  {
    name: at.secrets,
    prepare: async (stage) => {
      await withHost(stage, at.secrets)
      await putPair(stage, 'create', at.secrets)
      await secured(stage, at.secrets)
      await shown(stage, at.secrets, 20_000)
    },
    // A certificate with its authority behind it is what the encoder looks for.
    poison: (stage) => putPair(stage, 'replace', at.secrets, stage.authority.pem),
    servesOn: (stage) => shown(stage, at.secrets),
    words: /private key/i,
    mend: (stage) => putPair(stage, 'replace', at.secrets),
    mended: (stage) => shown(stage, at.secrets),
  },
  {
    name: at.listeners,
    prepare: async (stage) => {
      await withHost(stage, at.listeners)
      await putPair(stage, 'create', at.listeners)
    },
    poison: (stage) => secured(stage, at.listeners),
    servesOn: (stage) => shown(stage, at.secrets),
    words: undefined,
    mend: async (stage) => {
      await putPair(stage, 'create', well)
      await secured(stage, at.listeners, well)
    },
    mended: (stage) => shown(stage, at.listeners, 0, well),
  },
]

/** What tables of routes are concerned by: each secure host has one, all plain hosts have one together. */
export const classicCases: readonly Case[] = [
  ...scopedCases.filter(({ name }) => name === at.clusters || name === at.endpoints),
  {
    name: at.tables,
    prepare: async (stage) => {
      await withHost(stage, at.tables)
      await putPair(stage, 'create', at.tables)
      await secured(stage, at.tables)
      await shown(stage, at.tables, 20_000)
    },
    poison: (stage) => secured(stage, at.tables, at.tables, 'POISON'),
    servesOn: (stage) => says(stage, at.tables, '/version', 'first', true),
    words: /unique values for domains/i,
    mend: (stage) => secured(stage, at.tables, at.tables, 'second'),
    mended: (stage) => says(stage, at.tables, '/version', 'second', true),
  },
  {
    name: at.table,
    prepare: (stage) => withHost(stage, at.table),
    poison: ({ site }) => site.objects.replace('proxy', proxyObject(at.table, { version: 'POISON' })),
    servesOn: (stage) => says(stage, at.table, '/version', 'first'),
    words: /unique values for domains/i,
    mend: ({ site }) => site.objects.replace('proxy', proxyObject(at.table, { version: 'second' })),
    mended: (stage) => says(stage, at.table, '/version', 'second'),
    shared: true,
  },
]

/** A host with a Service, each of its own name unless told otherwise. */
async function withHost({ site }: Stage, service: string, host = service): Promise<void> {
  await site.objects.createServices([service])
  await site.objects.create('proxy', proxyObject(host, { services: [{ name: service }] }))
  await answers(site, host)
}

function moved({ site }: Stage, service: string): Promise<void> {
  const options = { version: 'second', services: [{ name: service }] }
  return site.objects.replace('proxy', proxyObject(at.clusters, options))
}

function endpoint({ site }: Stage, ip: string): Promise<void> {
  return site.objects.replace('slice', sliceObject(at.endpoints, [{ ip }]))
}

function secured({ site }: Stage, host: string, secret = host, version = 'first'): Promise<void> {
  return site.objects.replace('proxy', proxyObject(host, { secret, version }))
}

async function says({ site }: Stage, host: string, path: string, body: string, tls = false) {
  const prober = new Prober(site.entry(tls), hostOf(host))
  const answer = await prober.ask(path)
  prober.close()
  return answer?.status === 200 && answer.body === body
}

/** By Secret: the fingerprint of the newest certificate that an Envoy takes. */
const good = new Map<string, string>()

/** @param behind written behind the certificate, of which Envoys are to know nothing then */
async function putPair({ site, authority }: Stage, how: 'create' | 'replace', name: string, behind = '') {
  const { cert, key } = await authority.pair(hostOf(name))
  const stringData = { 'tls.crt': `${cert}\n${behind}`, 'tls.key': key }
  const metadata = { namespace, name }
  const object: RawObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    type: 'kubernetes.io/tls',
    stringData,
  }
  await site.objects[how]('secret', object)
  if (behind === '') good.set(name, new X509Certificate(cert).fingerprint256)
}

/** Whether the host shows that certificate. @param limitMs how long it is waited for */
async function shown({ site }: Stage, host: string, limitMs = 0, secret = host): Promise<boolean> {
  const end = performance.now() + limitMs
  for (;;) {
    const answer = await handshake(site.ports.https, hostOf(host))
    if (answer?.status === 200 && answer.fingerprint === good.get(secret)) return true
    if (performance.now() >= end) return false
  }
}
