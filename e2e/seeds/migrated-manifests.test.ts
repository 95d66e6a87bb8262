/** `landfall migrate manifests`, on what the manifests of MetalLB v0.16 create in each of its flavours. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import { definitions } from '../foreign/definitions.ts'
import { metallb016 } from '../foreign/metallb-0-16.ts'
import { type Flavour, metallb016Frr } from '../foreign/metallb-0-16-frr.ts'
import { webhooks } from '../foreign/webhooks.ts'
import { migrated } from './migrated-manifests.ts'

const program = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts')
const migrate = [process.execPath, '--disable-warning=ExperimentalWarning', program]
/** Of the definitions the one that has a conversion webhook. */
const peers = definitions('none').filter((one) => JSON.stringify(one).includes('"bgppeers.metallb.io"'))
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
)

test.each<Flavour>(['frr', 'frr-k8s'])(
  'manifests of %s become those of native',
  { timeout: 60_000 },
  (flavour) => {
    const native = migrated(migrate, [...peers, ...metallb016(), ...webhooks()])
    const other = migrated(migrate, [...peers, ...metallb016Frr(flavour)])
    // FRR may end at once, and does not wait for a grace period.
    const [had, has] = [native, other].map(({ objects }) =>
      stringify(objects).replaceAll(/terminationGracePeriodSeconds: .*\n/g, ''),
    )
    expect(has).toBe(had)
    expect(had).toContain(`image: landfall/speaker:${version}`)
    const workloads = other?.objects.filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')
    expect(workloads).toHaveLength(2)
    expect(stringify(workloads)).not.toMatch(/frr|webhook|METALLB_BGP_TYPE|NET_ADMIN/i)
  },
)

test('what goes is said, object by object and part by part', { timeout: 60_000 }, () => {
  const notes = (flavour: Flavour) => migrated(migrate, [...peers, ...metallb016Frr(flavour)]).notes
  const [beside, apart] = [notes('frr'), notes('frr-k8s')]
  const speaker = beside.find((note) => note.includes('changed DaemonSet metallb-system/speaker'))
  for (const part of [
    'init container cp-frr-files',
    'init container cp-reloader',
    'init container cp-metrics',
    'container frr,',
    'container reloader',
    'container frr-metrics',
    'volume frr-startup',
    'variable METALLB_BGP_TYPE',
  ])
    expect(speaker).toContain(part)
  for (const object of [
    'ConfigMap metallb-system/frr-startup',
    'ValidatingWebhookConfiguration metallb-webhook-configuration',
  ])
    expect(beside).toContainEqual(expect.stringContaining(`dropped ${object}: `))
  for (const object of [
    'DaemonSet metallb-system/frr-k8s',
    'Deployment metallb-system/frr-k8s-statuscleaner',
    'ServiceAccount metallb-system/frr-k8s-daemon',
    'ClusterRole frr-k8s-daemon-role',
    'ClusterRoleBinding frr-k8s-daemon-rolebinding',
    'Service metallb-system/frr-k8s-webhook-service',
    'Secret metallb-system/frr-k8s-webhook-server-cert',
    'ValidatingWebhookConfiguration frr-k8s-validating-webhook-configuration',
    'CustomResourceDefinition frrconfigurations.frrk8s.metallb.io',
    'CustomResourceDefinition bgpsessionstates.frrk8s.metallb.io',
  ])
    expect(apart).toContainEqual(expect.stringContaining(`dropped ${object}: `))
})

test('the objects that it prints are read again', { timeout: 60_000 }, () => {
  const { text, objects } = migrated(migrate, metallb016Frr('frr'))
  expect(parseAllDocuments(text).filter((one) => one.toJS() !== null)).toHaveLength(objects.length)
})
