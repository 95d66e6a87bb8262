/** For tests: Services and Secrets by chance, as good as they are named, of no use, or not there. */
import type { RawObject } from '@landfall/kube'
import { pick, type Random } from './random-values.ts'
import { pairOf, pem } from './traffic.ts'

const server = pairOf('server')
const ca = { 'ca.crt': pem('ca.pem'), 'crl.pem': pem('crl.pem') }
const pair = { 'tls.crt': server.cert, 'tls.key': server.key }

const http = { name: 'http', port: 80 }
interface Made {
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec: object
}

/** Good ones first. */
const services: readonly (Made | undefined)[] = [
  { spec: { ports: [http, { name: 'health', port: 81 }] } },
  { spec: { ports: [{ ...http, appProtocol: 'kubernetes.io/h2c' }] } },
  { spec: { ports: [{ ...http, appProtocol: 'https' }] } },
  {
    annotations: { 'projectcontour.io/upstream-protocol.h2': '80', 'projectcontour.io/max-connections': '5' },
    spec: { ports: [http] },
  },
  {
    annotations: {
      'projectcontour.io/max-requests': 'many',
      'projectcontour.io/upstream-protocol.h2': 'none',
    },
    spec: { ports: [http] },
  },
  { spec: { ports: [{ name: 'other', port: 90 }] } },
  { spec: { ports: [{ ...http, protocol: 'UDP' }] } },
  { spec: { type: 'ExternalName', externalName: 'localhost', ports: [http] } },
  { spec: { type: 'ExternalName', externalName: 'outside.test', ports: [http] } },
  undefined,
]

const secrets: Readonly<Record<string, readonly (Readonly<Record<string, string>> | undefined)[]>> = {
  pair: [
    { ...pair, ...ca },
    pair,
    { ...pair, 'ca.crt': '' },
    { 'tls.crt': server.cert, 'tls.key': pairOf('alice').key },
    { 'tls.crt': pem('p-224.pem'), 'tls.key': pem('p-224.key') },
    { 'tls.crt': pem('rsa-1024.pem'), 'tls.key': pem('rsa-1024.key') },
    { 'tls.crt': `${server.cert}${server.cert.slice(0, 100)}`, 'tls.key': server.key },
    { 'tls.crt': '', 'tls.key': '' },
    { 'tls.key': server.key },
    undefined,
  ],
  ca: [
    ca,
    { ...ca, keys: '{"keys": []}' },
    { 'ca.crt': pem('ca.pem') },
    { 'crl.pem': pem('crl.pem') },
    { 'ca.crt': server.key, 'crl.pem': pem('ca.pem') },
    { 'ca.crt': pem('ca.pem').replace(/A/g, 'B'), 'crl.pem': 'none' },
    { password: 'x' },
    undefined,
  ],
}

/** The Services `one` and `two`, the Secrets `pair` and `ca`, if at all; a Service `sure` in any case. */
export function randomSurroundings(random: Random): readonly RawObject[] {
  return ['web', 'away'].flatMap((namespace) => {
    const mostlyGood = <T>(from: readonly T[], good: number) =>
      pick(random, random() < 0.7 ? from.slice(0, good) : from)
    const servicesHere = ['one', 'two'].map((name) => serviceOf(name, namespace, mostlyGood(services, 3)))
    const secretsHere = Object.entries(secrets).map(([name, from]) =>
      secretOf(random, name, namespace, mostlyGood(from, 2)),
    )
    return [serviceOf('sure', namespace, services[0]), ...servicesHere, ...secretsHere].flatMap(
      (one) => one ?? [],
    )
  })
}

function serviceOf(name: string, namespace: string, of: Made | undefined): RawObject | undefined {
  if (of === undefined) return undefined
  const { annotations = {}, spec } = of
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations },
    spec,
  }
}

function secretOf(
  random: Random,
  name: string,
  namespace: string,
  stringData: Readonly<Record<string, string>> | undefined,
): RawObject | undefined {
  if (stringData === undefined) return undefined
  const type = pick(random, ['Opaque', 'Opaque', 'kubernetes.io/tls', 'kubernetes.io/dockercfg'])
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, stringData }
}
