/**
 * 0.2: what the components of Lokomotive render, by its releases of 2019 and 2020, against what ours do. The lists are of
 * there, and what differs is told here, name by name.
 */
import type { Manifest } from '@landfall/manifests'
import { beforeAll, describe, expect, test } from 'vitest'
import { nameOfObject } from './components/sections.ts'
import { render } from './testing.ts'

const guide =
  'component "metallb" {\n address_pools = { default = ["198.51.100.0/28"] }\n}\ncomponent "contour" {}\n'

const lokomotives = [
  'Namespace metallb-system',
  'ServiceAccount metallb-system/controller',
  'ServiceAccount metallb-system/speaker',
  'ClusterRole metallb-system:controller',
  'ClusterRole metallb-system:speaker',
  'ClusterRoleBinding metallb-system:controller',
  'ClusterRoleBinding metallb-system:speaker',
  'Role metallb-system/config-watcher',
  'RoleBinding metallb-system/config-watcher',
  'ConfigMap metallb-system/config',
  'Deployment metallb-system/controller',
  'DaemonSet metallb-system/speaker',
  'PodSecurityPolicy controller',
  'PodSecurityPolicy speaker',
  'Namespace projectcontour',
  'ServiceAccount projectcontour/contour',
  'ServiceAccount projectcontour/envoy',
  'ServiceAccount projectcontour/contour-certgen',
  'ConfigMap projectcontour/contour',
  'Job projectcontour/contour-certgen-v1-2-3',
  'Service projectcontour/contour',
  'Service projectcontour/envoy',
  'Deployment projectcontour/contour',
  'DaemonSet projectcontour/envoy',
]

/** Kubernetes has the one no more, and the others are two Roles of the programs' own. */
const gone = [
  'PodSecurityPolicy controller',
  'PodSecurityPolicy speaker',
  'Role metallb-system/config-watcher',
  'RoleBinding metallb-system/config-watcher',
]

/** Roles are called differently in each release of there; PodDisruptionBudgets are ours. */
const own =
  /^(CustomResourceDefinition |PodDisruptionBudget |(Cluster)?Role(Binding)? (projectcontour\/)?contour|Role(Binding)? metallb-system\/(controller|speaker)$)/

let objects: readonly Manifest[]

beforeAll(async () => {
  const result = await render(guide)
  objects = (result.ok ? result.components : []).flatMap((one) => one.objects)
})

const named = (name: string) => objects.find((one) => nameOfObject(one) === name)

test('0.2: the objects of the guide are those of Lokomotive, by name', () => {
  const names = objects.map(nameOfObject)
  const wanted = lokomotives.filter((name) => !gone.includes(name))
  expect(names.filter((name) => !own.test(name)).toSorted()).toEqual(wanted.toSorted())
  for (const definition of ['httpproxies', 'tlscertificatedelegations'])
    expect(names).toContain(`CustomResourceDefinition ${definition}.projectcontour.io`)
})

describe('0.2: of MetalLB', () => {
  test.each(['Deployment metallb-system/controller', 'DaemonSet metallb-system/speaker'])(
    '%s has the labels, annotations and arguments of there',
    (name) => {
      const component = name.split('/')[1]
      const labels = { app: 'metallb', component }
      expect(named(name)).toMatchObject({
        metadata: { labels },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: {
              labels,
              annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '7472' },
            },
            spec: { containers: [{ name: component, args: expect.arrayContaining(['--port=7472']) }] },
          },
        },
      })
    },
  )

  test('the controller is nobody, with nothing it could do', () => {
    const securityContext = { capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true }
    expect(podOf('Deployment metallb-system/controller')).toMatchObject({
      securityContext: { runAsNonRoot: true, runAsUser: 65534 },
      containers: [{ securityContext }],
    })
  })

  test('the speaker is on the host’s network, with raw sockets alone', () => {
    const securityContext = {
      capabilities: { drop: ['ALL'], add: ['NET_RAW'] },
      readOnlyRootFilesystem: true,
    }
    expect(podOf('DaemonSet metallb-system/speaker')).toMatchObject({
      hostNetwork: true,
      containers: [{ securityContext }],
    })
  })

  test('neither has limits, which are 100m and 100Mi there: what is throttled is late', () => {
    for (const name of ['Deployment metallb-system/controller', 'DaemonSet metallb-system/speaker'])
      expect(podOf(name)).toMatchObject({ containers: [{ resources: { requests: expect.anything() } }] })
    expect(JSON.stringify(objects.filter(({ kind }) => kind !== 'CustomResourceDefinition'))).not.toContain(
      '"limits"',
    )
  })
})

describe('0.2: of Contour', () => {
  test('Service contour is for Envoys, in the cluster', () => {
    expect(named('Service projectcontour/contour')).toMatchObject({
      spec: { type: 'ClusterIP', ports: [{ port: 8001 }] },
    })
  })

  test('Service envoy gets an address, keeps the client’s, and tells AWS', () => {
    expect(named('Service projectcontour/envoy')).toMatchObject({
      metadata: {
        annotations: { 'service.beta.kubernetes.io/aws-load-balancer-backend-protocol': 'tcp' },
      },
      spec: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        ports: [
          { port: 80, targetPort: 8080 },
          { port: 443, targetPort: 8443 },
        ],
      },
    })
  })

  test('ConfigMap contour is what both contours read', () => {
    const settings = named('ConfigMap projectcontour/contour')
    expect(settings).toMatchObject({
      data: { 'contour.yaml': expect.stringContaining('disablePermitInsecure: false\n') },
    })
    expect(podOf('Deployment projectcontour/contour')).toMatchObject({
      containers: [
        {
          args: expect.arrayContaining(['serve', '--config-path=/config/contour.yaml']),
          volumeMounts: [{ name: 'contourcert' }, { name: 'contour-config', mountPath: '/config' }],
        },
      ],
      volumes: [{ name: 'contourcert' }, { name: 'contour-config', configMap: { name: 'contour' } }],
    })
    const names = objects.map(nameOfObject)
    expect(names.indexOf('ConfigMap projectcontour/contour')).toBeLessThan(
      names.indexOf('Deployment projectcontour/contour'),
    )
  })

  test('Deployment contour has two, apart if they can, and says how it is', () => {
    expect(named('Deployment projectcontour/contour')).toMatchObject({
      spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: '50%' } } },
    })
    expect(podOf('Deployment projectcontour/contour')).toMatchObject({
      affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [expect.anything()] } },
      // There it is ready when 8001 is open; ours when it has something to say as well.
      containers: [
        {
          livenessProbe: { httpGet: { path: '/healthz', port: 8000 } },
          readinessProbe: { httpGet: { path: '/readyz', port: 8000 } },
        },
      ],
    })
  })

  test('DaemonSet envoy has its bootstrap, who shuts it down, and the time for that', () => {
    const [shutdown, envoy] = [
      {
        livenessProbe: { httpGet: { path: '/healthz', port: 8090 } },
        lifecycle: { preStop: expect.anything() },
      },
      { readinessProbe: { httpGet: { path: '/ready', port: 8002 } } },
    ]
    expect(podOf('DaemonSet projectcontour/envoy')).toMatchObject({
      terminationGracePeriodSeconds: 300,
      initContainers: [{ args: expect.arrayContaining(['bootstrap', '/config/envoy.json']) }],
      containers: [
        { name: 'shutdown-manager', args: ['envoy', 'shutdown-manager'], ...shutdown },
        { name: 'envoy', ports: expect.arrayContaining([{ name: 'http', containerPort: 8080 }]), ...envoy },
      ],
    })
  })
})

function podOf(name: string): unknown {
  const workload = named(name)
  expect(workload).toMatchObject({ spec: { template: { spec: expect.anything() } } })
  const { spec }: { readonly spec: { readonly template: { readonly spec: unknown } } } = JSON.parse(
    JSON.stringify(workload),
  )
  return spec.template.spec
}
