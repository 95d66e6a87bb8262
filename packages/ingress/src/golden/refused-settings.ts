/** For tests: of the inputs that Envoy would refuse, those about backends, certificates and tokens. */
import {
  base64,
  extension,
  host,
  inBase64,
  long,
  metadata,
  quoted,
  type RefusedInput,
  route,
  secret,
  secure,
} from './refused-input.ts'
import { pem } from './traffic.ts'

const checks = { path: '/', host: 'a.test' }
const backends: readonly RefusedInput[] = [
  {
    name: 'a line break in the path of a health check',
    objects: (path) => route({ healthCheckPolicy: { ...checks, path } }),
    good: '/good',
    bad: '/go\nod',
    problem: ['RouteError', 'HealthCheckPolicyInvalid'],
  },
  {
    name: 'a line break in the host of a health check',
    objects: (value) => route({ healthCheckPolicy: { ...checks, host: value } }),
    good: 'good.test',
    bad: 'go\nod.test',
    problem: ['RouteError', 'HealthCheckPolicyInvalid'],
  },
  {
    name: 'expected statuses that end where they start',
    objects: (end) =>
      route({ healthCheckPolicy: { ...checks, expectedStatuses: [{ start: 234, end: Number(end) }] } }),
    good: '345',
    bad: '234',
    problem: ['RouteError', 'HealthCheckPolicyInvalid'],
    written: [['"end":"345"', '"end":"234"']],
  },
  {
    name: 'a host that is too long for a handshake with the backend',
    objects: (value) =>
      route({ requestHeadersPolicy: { set: [{ name: 'Host', value }] } }, { protocol: 'tls' }),
    good: long(255),
    bad: long(256),
    problem: ['ServiceError', 'TLSUpstreamValidation'],
  },
  {
    name: 'a name to verify by that is too long for a handshake',
    objects: (subjectName) => [
      secret('ca', { 'ca.crt': pem('ca.pem') }),
      ...extension({ protocol: 'h2', validation: { caSecret: 'ca', subjectName } }),
    ],
    good: 'é'.repeat(127),
    bad: 'é'.repeat(128),
    problem: ['SpecError', 'TLSUpstreamValidation'],
    kind: 'extensionService',
  },
  {
    name: 'garbage in a bundle of authorities of a backend',
    objects: (bundle) => [
      secret('ca', { 'ca.crt': bundle }),
      ...route({}, { protocol: 'tls', validation: { caSecret: 'ca', subjectName: 'a.test' } }),
    ],
    good: pem('ca.pem'),
    bad: garbage(pem('ca.pem')),
    problem: ['ServiceError', 'TLSUpstreamValidation'],
    written: inBase64(pem('ca.pem'), garbage(pem('ca.pem'))),
  },
]

/** The same block with other bytes in it. */
function garbage(text: string): string {
  return text.replaceAll(/^([A-Za-z0-9+/]{64})$/gm, (line) => line.toLowerCase())
}

const otherSequence = `-----BEGIN X509 CRL-----\n${base64('\x30\x03\x02\x01\x01')}\n-----END X509 CRL-----\n`

const certificates: readonly RefusedInput[] = [
  ...['rsa-1024', 'p-224'].map((kind): RefusedInput => {
    const [good, bad] = [pairOfSecret('server'), pairOfSecret(kind)]
    return {
      name: `a certificate with a key of kind ${kind}`,
      objects: (name) => [secret('own', pairOfSecret(name)), ...host({ tls: { secretName: 'own' } })],
      good: 'server',
      bad: kind,
      problem: ['TLSError', 'SecretNotValid'],
      written: [
        [base64(good['tls.crt']), base64(bad['tls.crt'])],
        [base64(good['tls.key']), base64(bad['tls.key'])],
      ],
    }
  }),
  {
    name: 'the key of another certificate',
    objects: (key) => [
      secret('own', { 'tls.crt': pem('server.pem'), 'tls.key': key }),
      ...host({ tls: { secretName: 'own' } }),
    ],
    good: pem('server.key'),
    bad: pem('alice.key'),
    problem: ['TLSError', 'SecretNotValid'],
    written: inBase64(pem('server.key'), pem('alice.key')),
  },
  {
    name: 'garbage behind a certificate',
    objects: (chain) => [
      secret('own', { 'tls.crt': chain, 'tls.key': pem('server.key') }),
      ...host({ tls: { secretName: 'own' } }),
    ],
    good: pem('server.pem'),
    bad: pem('server.pem') + garbage(pem('ca.pem')),
    problem: ['TLSError', 'SecretNotValid'],
    written: inBase64(pem('server.pem'), pem('server.pem') + garbage(pem('ca.pem'))),
  },
  {
    name: 'garbage in a bundle of authorities of clients',
    objects: (bundle) => [
      secret('ca', { 'ca.crt': bundle }),
      ...host({ tls: { secretName: 'pair', clientValidation: { caSecret: 'ca' } } }),
    ],
    good: pem('ca.pem'),
    bad: garbage(pem('ca.pem')),
    problem: ['TLSError', 'ClientValidationInvalid'],
    written: inBase64(pem('ca.pem'), garbage(pem('ca.pem'))),
  },
  ...[garbage(pem('crl.pem')), otherSequence].map(
    (bad, index): RefusedInput => ({
      name: `${index === 0 ? 'garbage' : 'something else'} in a list of revoked certificates`,
      objects: (list) => [
        secret('ca', { 'ca.crt': pem('ca.pem') }),
        secret('list', { 'crl.pem': list }),
        ...host({ tls: { secretName: 'pair', clientValidation: { caSecret: 'ca', crlSecret: 'list' } } }),
      ],
      good: pem('crl.pem'),
      bad,
      problem: ['TLSError', 'ClientValidationInvalid'],
      written: inBase64(pem('crl.pem'), bad),
    }),
  ),
]

const goodKey = '{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}'
const tokens: readonly RefusedInput[] = ['{"kty":"RSA","n":"AQAB","e":"AQAB"}', '{"kty":"none"}'].map(
  (bad): RefusedInput => ({
    name: `a set of keys with nothing but ${bad}`,
    objects: (key) => [
      secret('keys', { set: `{"keys":[${key}]}` }),
      ...secure({
        jwtProviders: [{ name: 'p', default: true, localJWKS: { secretName: 'keys', key: 'set' } }],
      }),
    ],
    good: goodKey,
    bad,
    problem: ['JWTVerificationError', 'LocalJWKSInvalid'],
    written: [[quoted(goodKey), quoted(bad)]],
  }),
)

const ofIngress: RefusedInput = {
  name: 'a question mark in a prefix of segments, on an Ingress',
  objects: (path) => {
    const backend = { service: { name: 'shop', port: { number: 80 } } }
    const rules = [{ host: 'bad.test', http: { paths: [{ path, pathType: 'Prefix', backend }] } }]
    return [{ kind: 'Ingress', metadata, spec: { rules } }]
  },
  good: '/good',
  bad: '/go?od',
  problem: ['RouteError', 'PathMatchConditionsNotValid'],
  kind: 'ingress',
}

function pairOfSecret(name: string) {
  return { 'tls.crt': pem(`${name}.pem`), 'tls.key': pem(`${name}.key`) }
}

export const refusedSettings: readonly RefusedInput[] = [...backends, ...certificates, ...tokens, ofIngress]
