import { readFileSync } from 'node:fs'
import { engineOptions, manyChains } from '@landfall/ingress/routing'
import { expect, test } from 'vitest'
import { observe } from './reading/observe.ts'
import { servingOf } from './reading/serving.ts'
import { statusOf } from './status/status.ts'
import { listsFor, objectsOf, places } from './testing.ts'

const pki = (file: string) =>
  readFileSync(new URL(`../../ingress/src/golden/testdata/pki/${file}`, import.meta.url), 'base64')
const data = { 'tls.crt': pki('server.pem'), 'tls.key': pki('server.key') }

function hostWithCertificate(index: number): readonly object[] {
  const name = `shop-${index}`
  const metadata = { namespace: 'web', name }
  // With versions of its own a host keeps its chain in either mode.
  const virtualhost = { fqdn: `${name}.test`, tls: { secretName: name, minimumProtocolVersion: '1.3' } }
  return [
    { kind: 'Secret', metadata, type: 'kubernetes.io/tls', data },
    {
      kind: 'HTTPProxy',
      metadata,
      spec: { virtualhost, routes: [{ services: [{ name: 'shop', port: 80 }] }] },
    },
  ]
}

function findings(certificates: 'chains' | 'on-demand') {
  const hosts = Array.from({ length: manyChains + 1 }, (_, index) => hostWithCertificate(index)).flat()
  const lists = listsFor([...objectsOf('healthy'), ...hosts])
  const observed = observe(lists, places)
  const serving = servingOf(lists, observed, () => undefined, undefined)
  const options = engineOptions({ certificates })
  const { findings: all } = statusOf({ observed, serving: { ...serving, options }, envoys: new Map() })
  return all.filter(({ reason }) => reason === 'manyFilterChains')
}

test('more certificates in chains than Envoys take quickly are told, with the setting that helps', () => {
  expect(findings('on-demand')).toEqual([])
  expect(findings('chains')).toMatchObject([
    {
      severity: 'warning',
      kind: 'Program',
      name: 'contour',
      message: expect.stringMatching(/^its Envoys hold 1001 filter chains/),
      next: expect.stringMatching(
        /docs\/configuration.md.*tls.certificates: on-demand.*kubectl -n projectcontour rollout restart deployment contour$/,
      ),
    },
  ])
})
