/** Nothing of a private key is told: not in logs, not over HTTP, not in a status or an Event. */
import { readFileSync } from 'node:fs'
import type { RawObject } from '@landfall/kube'
import { createLogger } from '@landfall/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, freePort } from '../envoy-process/envoy-process.ts'
import { follow } from './follower.ts'
import { profileRoutes } from './profiles.ts'
import { ServeBed } from './serve-bed.ts'

let bed: ServeBed

beforeEach(async () => {
  bed = await new ServeBed().open()
})

afterEach(() => bed.close())

const paths = {
  proxies: '/apis/projectcontour.io/v1/httpproxies',
  ingresses: '/apis/networking.k8s.io/v1/ingresses',
  services: '/api/v1/services',
  secrets: '/api/v1/secrets',
}

const pem = (file: string) => readFileSync(new URL(`../golden/testdata/pki/${file}`, import.meta.url), 'utf8')
const bodyOf = (key: string) => key.replaceAll(/-----.*-----|\s/g, '')
const keys = ['server.key', 'alice.key', 'bob.key', 'eve.key', 'rsa-1024.key'].map(pem)
/** A few characters are missing, so that nobody can read it. */
const broken = pem('mallory.key').replace(/\n(.{60}).*\n/, '\n$1\n')

const length = 40

/** Each key as its lines, as the value in its Secret, from any byte on, in hexadecimal, and as numbers. */
const told = [...keys, broken].flatMap((key) => {
  const der = Buffer.from(bodyOf(key), 'base64')
  const encoded = [0, 1, 2].map((from) => der.subarray(from).toString('base64'))
  const bytes = Buffer.from(key)
  return [bodyOf(key), ...encoded, bytes.toString('base64'), bytes.toString('hex'), bytes.join(',')]
})
const pieces = new Set(told.flatMap(piecesOf))

function piecesOf(text: string): readonly string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length))
}

/** What of the keys stands in the text, with or without its ends of lines. */
function leaks(text: string): readonly string[] {
  const bare = text.replaceAll(/(\\+[nr]|\s)+/g, '')
  return piecesOf(bare).filter((piece) => pieces.has(piece))
}

function secret(
  name: string,
  version: number,
  certificate: string,
  key: string,
  more: object = {},
): RawObject {
  const data = { 'tls.crt': certificate, 'tls.key': key, ...more }
  return {
    metadata: { namespace: 'web', name, resourceVersion: String(version) },
    type: 'kubernetes.io/tls',
    data: Object.fromEntries(
      Object.entries(data).map(([one, text]) => [one, Buffer.from(text).toString('base64')]),
    ),
  }
}

const proxy: RawObject = {
  apiVersion: 'projectcontour.io/v1',
  kind: 'HTTPProxy',
  metadata: { name: 'shop', namespace: 'web', generation: 1, resourceVersion: '2' },
  spec: {
    virtualhost: {
      fqdn: 'shop.test',
      tls: { secretName: 'shop', enableFallbackCertificate: true },
    },
    routes: [{ services: [{ name: 'shop', port: 80 }] }],
  },
}

const guarded: RawObject = {
  ...proxy,
  metadata: { ...proxy.metadata, name: 'guarded' },
  spec: {
    virtualhost: {
      fqdn: 'guarded.test',
      tls: { secretName: 'shop', clientValidation: { caSecret: 'authority' } },
    },
    routes: [{ services: [{ name: 'shop', port: 80 }] }],
  },
}

const ingress: RawObject = {
  metadata: { name: 'shop', namespace: 'web', uid: 'u', resourceVersion: '3' },
  spec: {
    tls: [{ hosts: ['ingress.test'], secretName: 'shop' }],
    rules: [
      {
        host: 'ingress.test',
        http: {
          paths: [
            { path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
}

const shop: RawObject = {
  metadata: { name: 'shop', namespace: 'web', resourceVersion: '1' },
  spec: { ports: [{ name: 'http', port: 80 }] },
}

const names = ['web/shop', 'web/fallback', 'web/authority']

/** Follows the secrets. @param refuse the words for a response; undefined: it is taken */
function followSecrets(refuse: () => string | undefined) {
  const seen: string[] = []
  const end = follow(bed.xdsPort, {
    type: 'secrets',
    names,
    onResources: (resources) => {
      seen.push(...resources.map(({ resource }) => Buffer.from(resource?.value ?? []).toString()))
      return resources.length > 0 ? refuse() : undefined
    },
  })
  return { seen, end }
}

/** As an Envoy may spell what it was sent. */
function wordsWith(key: string): string {
  const escaped = JSON.stringify(key)
  return [
    `Proto constraint validation failed: name: "web/shop" tls_certificate { private_key { inline_bytes: ${escaped} } }`,
    `in JSON: {"privateKey":{"inlineBytes":"${Buffer.from(key).toString('base64')}"}}`,
    `as it is:\n${key}`,
    `cut off: ${escaped.slice(40, -40)}, and ${key.slice(0, -40)}`,
  ].join('; ')
}

test('no line of a private key is logged, shown or written, whatever becomes of it', {
  timeout: 60_000,
}, async () => {
  expect(leaks(wordsWith(keys[0] ?? '')).length).toBeGreaterThan(100)
  const logged: string[] = []
  const written = () =>
    bed.server.requests.filter(({ method }) => method !== 'GET').map((one) => JSON.stringify(one))
  bed.server.answer = ({ method, path, body, query }) => {
    if (query.has('watch')) return undefined
    if (method === 'POST' || method === 'PUT') return { body }
    return path.endsWith('/httpproxies/shop') ? { body: proxy } : undefined
  }
  const debugPort = await freePort()
  const at = await bed.serve(
    {
      [paths.proxies]: [proxy, guarded],
      [paths.ingresses]: [ingress],
      [paths.services]: [shop],
      [paths.secrets]: [
        secret('fallback', 1, pem('alice.pem'), pem('alice.key')),
        secret('authority', 1, pem('eve.pem'), pem('eve.key'), { 'ca.crt': pem('ca.pem') }),
      ],
    },
    {
      logger: () => createLogger({ level: 'all', write: (line) => void logged.push(line) }),
      leaderElection: undefined,
    },
    {
      xdsInsecure: true,
      debug: true,
      debugPort,
      kubernetesDebug: 9,
      fallbackName: 'fallback',
      fallbackNamespace: 'web',
    },
  )
  const watch = bed.watch(paths.secrets)
  const shown = async () => {
    const debug = ['/debug/dag', '/debug/dag.svg', ...Object.keys(profileRoutes())]
    const asked = [
      ...['/metrics', '/envoys?hosts=shop.test,guarded.test,ingress.test,*'].map((path) => `${at}${path}`),
      ...debug.map((path) => `http://127.0.0.1:${debugPort}${path}?seconds=0.05`),
    ]
    const texts: string[] = []
    for (const url of asked) texts.push(await (await fetch(url)).text())
    return texts.join('\n')
  }
  const clean = async () => {
    for (const text of [await shown(), logged.join(''), written().join('\n')])
      expect(leaks(text).slice(0, 3)).toEqual([])
  }
  const says = (what: string, ...all: readonly RegExp[]) =>
    eventually(what, () => {
      const texts = [...logged, ...written()]
      return all.every((one) => texts.some((text) => one.test(text))) ? true : undefined
    })

  let refuse: string | undefined
  const envoy = followSecrets(() => refuse)
  const got = (key: string) =>
    eventually('sent', () => (envoy.seen.some((one) => one.includes(key)) ? true : undefined))

  const added = secret('shop', 2, pem('server.pem'), pem('server.key'))
  await watch.send({ type: 'ADDED', object: added })
  await got(pem('server.key'))
  await got(pem('alice.key'))
  await clean()

  refuse = wordsWith(pem('bob.key'))
  await watch.send({ type: 'MODIFIED', object: secret('shop', 3, pem('bob.pem'), pem('bob.key')) })
  await got(pem('bob.key'))
  await says('refused', /resourceRefused/, /httpproxies\/shop\/status.*EnvoyRefused/, /events.*EnvoyRefused/)
  await clean()

  refuse = undefined
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    [pem('server.pem'), pem('alice.key'), /is not the key of/],
    [pem('rsa-1024.pem'), pem('rsa-1024.key'), /2048 bits/],
    [pem('mallory.pem'), broken, /cannot be parsed/],
    [pem('server.pem'), bodyOf(pem('server.key')), /no private key/],
    [pem('server.key'), pem('server.pem'), /unexpected PEM block/],
  ]
  for (const [index, [certificate, key, problem]] of wrong.entries()) {
    await watch.send({ type: 'MODIFIED', object: secret('shop', 4 + index, certificate, key) })
    await says('told', problem)
  }
  await clean()
  envoy.end()
})
